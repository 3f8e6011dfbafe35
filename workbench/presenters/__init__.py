"""From domain values to what a page shows: words, tables and chart specs. Pure, and without streamlit."""
