"""Results for people: tables and sentences for the terminal, figures, a page for the browser."""
