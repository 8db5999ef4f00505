# A template that names something unknown.

. "$LIB"
begin
released v1.2.3
echo '## {{ versoin }}' | file notes.jinja
commit 'fix: close the file'
publish
