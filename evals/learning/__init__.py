"""Learning from outcomes: which questions earn replies, from whom, and can the engine's confidence be believed?"""
