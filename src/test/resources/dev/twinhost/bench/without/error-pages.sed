# No second attempt.
/include snippets\/again.conf;/d
