# No cache of TLS sessions.
/^ssl_session_cache /d
