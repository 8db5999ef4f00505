# A message in another encoding that its commit names.

. "$LIB"
begin
released v1.2.3
tick
printf 'fix: caf\351 opens\n' | git -c i18n.commitEncoding=ISO-8859-1 commit --quiet --allow-empty --file -
publish
