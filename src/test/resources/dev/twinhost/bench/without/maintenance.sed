# No look whether the site is closed.
/include snippets\/maintenance.conf;/d
