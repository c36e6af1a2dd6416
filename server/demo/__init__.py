"""A first write, told step by step, with a sandbox CRM as the provider."""
