# The changelog has a template of its own.

. "$LIB"
begin
released v1.2.3
file docs/notes.jinja <<'END'
## {{ version }} ({{ date }})

{% for section in sections %}
{% for entry in section.entries %}
* {{ section.title }}: {{ entry.text }}
{% endfor %}
{% endfor %}
END
commit 'fix: close the file' 'feat: a second format'
publish
