# Other types release nothing.

. "$LIB"
begin
released v1.2.3
commit 'docs: a tutorial' 'chore: tidy up' 'ci: one more system' 'my-type: something of ours' 'test: the edges'
publish
