"""The pages, one module each: get services, read widgets, call a presenter, draw."""
