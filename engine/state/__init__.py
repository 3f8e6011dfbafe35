"""Production state in Postgres, tenant by tenant: the only place that imports SQLAlchemy and psycopg."""
