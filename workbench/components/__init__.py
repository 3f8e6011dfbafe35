"""Small drawing functions: a presenter's value in, a part of a page out."""
