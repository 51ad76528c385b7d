"""The pictures of the documents, made from what the real code does."""
