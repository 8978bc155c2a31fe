"""The netx file: its schema, its writer and its reader."""
