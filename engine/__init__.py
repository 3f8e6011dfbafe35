"""The sales-conversation engine: reads one customer message at a time and recommends the next question."""
