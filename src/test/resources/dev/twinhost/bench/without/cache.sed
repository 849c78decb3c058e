# No look into the cache.
s/^proxy_cache \$cache;/proxy_cache off;/
