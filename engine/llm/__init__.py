"""Asking models: the only place that imports litellm and instructor, and only when a model is really asked."""
