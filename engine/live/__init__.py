"""The engine in production: a message comes in, the state of its contact is read, analysed, advanced and saved.

    import os
    from engine.analyzers import RulesAnalyzer
    from engine.live import Database, LiveEngine, Message

    database = Database(os.environ["QBS_DATABASE_URL"])
    engine = LiveEngine(database, RulesAnalyzer())
    message = Message(id="m-17", text="Line 2 stops every night, and our CFO has noticed.")
    taken = await engine.take_turn("acme", "norrland-mills", "ines.faro", message)
    print(taken.analysis.question.recommendation.suggested_question)

The same message again changes nothing. Without Postgres there is an answer too, which says that it was not saved.
"""

from engine.live.turns import ANALYSIS_SECONDS, LiveConversation, LiveEngine, TurnTaken
from engine.state.database import Database
from engine.state.messages import Message

__all__ = ["ANALYSIS_SECONDS", "Database", "LiveConversation", "LiveEngine", "Message", "TurnTaken"]
