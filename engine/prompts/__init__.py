"""Prompts as versioned files with strict variables, and the builders that fill them in."""

from engine.prompts.builders import (
    RenderedPrompt,
    build_chat_prompt,
    build_context_summary,
    build_email_prompt,
    build_expansion_detection_prompt,
    build_qbs_analysis_prompt,
    build_qbs_prompt_section,
    build_qualification_extraction_prompt,
    build_system_prompt,
)
from engine.prompts.library import SHIPPED, PromptLibrary
from engine.prompts.prompt import Message, Prompt, read_prompt
from engine.prompts.sets import PromptSet
from engine.prompts.variables import render_recent_turns

ANALYSIS_PROMPTS = ("extraction", "question", "expansion")

__all__ = [
    "ANALYSIS_PROMPTS",
    "SHIPPED",
    "Message",
    "Prompt",
    "PromptLibrary",
    "PromptSet",
    "RenderedPrompt",
    "build_chat_prompt",
    "build_context_summary",
    "build_email_prompt",
    "build_expansion_detection_prompt",
    "build_qbs_analysis_prompt",
    "build_qbs_prompt_section",
    "build_qualification_extraction_prompt",
    "build_system_prompt",
    "read_prompt",
    "render_recent_turns",
]
