"""Outcomes that live elsewhere, a CRM's export for one: read from CSV, Parquet or JSON lines into the copy.

mapping = Mapping({"recommended_at": "SentDate", "conversation": "CaseId", ...}, zone="Europe/Berlin")
imported = import_outcomes(store, tenant, file, mapping)
"""

from evals.learning.importing.importer import Imported, ImportRefusedError, import_outcomes
from evals.learning.importing.mapping import FIELDS, Mapping, MappingStore

__all__ = ["FIELDS", "ImportRefusedError", "Imported", "Mapping", "MappingStore", "import_outcomes"]
