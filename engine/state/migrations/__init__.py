"""How the tables of production state came to be, revision by revision. `engine.state.schema` applies them."""
