"""A simulator of NewStore: `NewStoreModel` (pure), `NewStoreServer` (HTTP), `Delivery` (stream)."""
