"""What the gateway costs beside the upstream alone and beside other proxies, over real processes and loopback."""
