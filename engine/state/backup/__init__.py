"""Backups of production state: a dump with the row counts of every tenant beside it, and its way back."""

from engine.state.backup.making import Backup, backup
from engine.state.backup.restoring import restore

__all__ = ["Backup", "backup", "restore"]
