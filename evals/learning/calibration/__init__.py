"""Whether a confidence can be believed, and how it is corrected: read, fitted, proven on what is unseen, watched."""
