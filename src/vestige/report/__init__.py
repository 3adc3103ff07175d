"""Terminal, HTML and figures of a result: nothing is computed here but layout."""
