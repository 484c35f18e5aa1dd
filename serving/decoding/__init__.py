"""How the embedded engine writes a reply: token by token, within a grammar where there is one, and as text piece by piece."""
