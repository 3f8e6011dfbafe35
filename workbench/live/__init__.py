"""Live conversations for a page: turns on the one loop, watched step by step, kept tenant by tenant."""

from workbench.live.conversations import SECONDS, LiveConversations
from workbench.live.steps import Steps, WatchedAnalyzer
from workbench.live.values import Answers, Kept, LiveContact, Saying, UnderWay

__all__ = [
    "SECONDS",
    "Answers",
    "Kept",
    "LiveContact",
    "LiveConversations",
    "Saying",
    "Steps",
    "UnderWay",
    "WatchedAnalyzer",
]
