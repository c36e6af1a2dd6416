"""Who may call: API keys and the guards that check them."""
