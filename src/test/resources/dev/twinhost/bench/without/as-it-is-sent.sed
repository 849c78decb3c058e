# No look whether an answer is passed on as it is sent.
/if (\$way)/,/}/d
