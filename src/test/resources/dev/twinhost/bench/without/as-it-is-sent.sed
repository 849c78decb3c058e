# No look whether an answer is passed on as it is sent.
/if (\$as_it_is_sent)/,/}/d
