.print a command and its status
.system echo said by the child
.shell echo said by a shell
.system exit 3
.system no-such-program-anywhere 2>/dev/null
.system "echo complaint >&2"
create table words(word);
.import "|printf 'zebra\nant\n'" words
select * from words order by word;
.output |sort
select word from words;
.output
.once "|tr a-z A-Z"
select word from words;
.read "|echo 'select 1 + 1;'"
.import "|exit 4" words
select count(*) from words;
