#!/usr/bin/env bats
# shellcheck disable=SC2154  # run sets them
# The page of airlock report --html: whole, without a network, and without a way for a log to become part of the page.
#
# What a browser makes of it is tested where Debian's chromium is installed: it is too large to be fetched for this.

load helpers.bash

bats_require_minimum_version 1.5.0

setup() {
    LOG=$BATS_TEST_TMPDIR/spawns.log
    PAGE=$BATS_TEST_TMPDIR/page.html
    PYTHON=/usr/bin/python3
}

make_page() {
    run -0 timeout -k 5 "$LIMIT" env -u LD_PRELOAD "$AIRLOCK" report --html "$PAGE" "$@"
    [ -z "$output" ]
}

# A log with a spawn whose every string is hostile.
make_hostile_log() {
    "$PYTHON" - >"$LOG" <<'END'
import json
evil = "</script><script>document.title='taken'</script><img src=x onerror=document.title='taken'>&amp;\u2028\u001aff\"'`${1}"
print(json.dumps({"v": 1, "type": "spawn", "wall_us": 1700000000000000, "mono_us": 1000, "pid": 50, "tid": 50, "ppid": 1,
    "program": evil, "object": evil, "offset": "0x1", "call": "posix_spawn", "mode": "enforce", "path": evil,
    "argv": [evil, evil], "attributes": [], "primitive": "clone3", "cut": True, "shared_memory": True, "fetched": 0,
    "error": {"step": "exec", "index": 0, "errno": "ENOENT", "text": evil},
    "ns": {"prepare": 1, "clone": 2, "setup": 3, "exec": 4, "total": 10},
    "sealed": [{"fd": 3, "what": evil}], "kept": [{"fd": 4, "what": evil, "rule": evil}], "passed_through": evil}))
END
}

# The page as the browser has it at the end, on stdout; what it wrote into its console, on stderr.
browse() {
    local browser
    browser=$(command -v chromium || command -v chromium-browser) || skip "needs chromium, which is large: install it to run this"
    timeout -k 5 "$LIMIT" "$browser" --headless=new --no-sandbox --disable-gpu --user-data-dir="$BATS_TEST_TMPDIR/browser" \
        --enable-logging=stderr --virtual-time-budget=5000 --window-size=1400,2000 --dump-dom "$@" "file://$PAGE" \
        2>"$BATS_TEST_TMPDIR/browser.log"
    # Every message of the page, errors among them, is a line with this word.
    grep CONSOLE "$BATS_TEST_TMPDIR/browser.log" >&2 || true
}

# How often a piece of markup stands in the browser's page.
occurrences() {
    grep -oF -- "$1" <<<"$output" | wc -l
}

@test "the page asks no network for anything" {
    "$PYTHON" "$ROOT/tests/records/sample.py" 200 >"$LOG" 2>/dev/null
    make_page "$LOG"
    # The one address is the name of SVG's namespace, which nobody opens.
    run -0 grep -oE 'https?://[^"'"'"' ]*' "$PAGE"
    assert_lines "http://www.w3.org/2000/svg"
    run -1 grep -nE '(src|href)=|@import|url\(' "$PAGE"
    grep -qF "default-src 'none'" "$PAGE"
}

@test "the summary in the page is that of --json, with the single spawns" {
    "$PYTHON" "$ROOT/tests/records/sample.py" 200 >"$LOG" 2>/dev/null
    make_page "$LOG"
    "$AIRLOCK" report --json "$LOG" >"$BATS_TEST_TMPDIR/answer.json"
    run -0 "$PYTHON" - "$PAGE" "$BATS_TEST_TMPDIR/answer.json" <<'END'
import json, re, sys
page = json.loads(re.search(r'<script type="application/json" id="summary">(.*?)</script>', open(sys.argv[1]).read(), re.S)[1])
answer = json.load(open(sys.argv[2]))
print(len(page.pop("spans")), page == answer)
END
    [ "$output" = "200 True" ]
}

@test "nothing of a log can end the script that holds it" {
    make_hostile_log
    make_page "$LOG"
    run -0 grep -c '</script>' "$PAGE"
    [ "$output" -eq 2 ]
    run -1 grep -q '<img' "$PAGE"
}

@test "a browser shows every part of the page and has nothing to complain about" {
    "$PYTHON" "$ROOT/tests/records/sample.py" 150 >"$LOG" 2>/dev/null
    make_page "$LOG"
    run -0 --separate-stderr browse
    [ -z "$stderr" ]
    [ "$(occurrences '<div class="phase">')" -eq 6 ]
    for part in timeline times leaks failures programs callers statuses table; do
        [ "$(grep -oE "<section id=\"$part\"[^>]*>" <<<"$output")" = "<section id=\"$part\">" ] || { echo "no $part" && return 1; }
    done
    # The table has a row for each spawn, and no more.
    rows=$("$PYTHON" -c 'import re, sys; print(len(re.findall("<tr>", re.search(r"<div class=\"scroll\" id=\"spawns\">.*?</table>", sys.stdin.read(), re.S)[0])))' <<<"$output")
    [ "$rows" -eq 151 ]
}

@test "a browser shows an empty log, a broken one and one of real records without a complaint" {
    : >"$LOG"
    make_page "$LOG"
    run -0 --separate-stderr browse
    [ -z "$stderr" ]
    [[ $output == *"The log has no records."* ]]
    echo "no record" >"$LOG"
    make_page "$LOG"
    run -0 --separate-stderr browse
    [ -z "$stderr" ]
    [[ $output == *"lines not understood"* ]]
    rm "$LOG"
    enforced env AIRLOCK_LOG="$LOG" AIRLOCK_LOG_FDS=1 "$PYTHON" "$ROOT/tests/records/many.py"
    make_page "$LOG"
    run -0 --separate-stderr browse
    [ -z "$stderr" ]
    [[ $output == *"exec /nonexistent/program: ENOENT"* ]]
}

@test "a browser shows hostile strings as text" {
    make_hostile_log
    make_page "$LOG"
    run -0 --separate-stderr browse
    [ -z "$stderr" ]
    [[ $output == *"<title>airlock report</title>"* ]]
    [[ $output == *"&lt;img src=x onerror=document.title='taken'&gt;&amp;amp;"* ]]
    [[ $output == *'\xff'* ]]
    run -1 grep -q '<img' <<<"$output"
}

@test "the page follows the system's choice of light or dark" {
    "$PYTHON" "$ROOT/tests/records/sample.py" 20 >"$LOG" 2>/dev/null
    make_page "$LOG"
    run -0 --separate-stderr browse
    [[ $output == *'data-theme="light"'* ]]
    run -0 --separate-stderr browse --blink-settings=preferredColorScheme=0
    [[ $output == *'data-theme="dark"'* ]]
}

@test "sorting, searching, filters and the tree work by their buttons" {
    "$PYTHON" "$ROOT/tests/records/sample.py" 300 >"$LOG" 2>/dev/null
    make_page "$LOG"
    # A visitor in small, who leaves what he saw in the title of the page.
    cat >>"$PAGE" <<'END'
<script>
const rows = () => [...document.querySelectorAll('#spawns tbody tr')];
const press = selector => document.querySelector(selector).click();
const seen = [];
press('#only-failed');
seen.push(rows().length > 0 && rows().every(row => row.querySelector('.tag.bad')));
press('#only-failed');
press('#only-leaks');
seen.push(rows().length > 0 && rows().every(row => row.lastChild.textContent !== ''));
press('#only-leaks');
press('#spawns button[data-key=total]');
const slowest = Math.max(...spans.map(span => span.total));
seen.push(rows()[0].children[5].textContent === duration(slowest));
press('#spawns button[data-key=total]');
seen.push(rows()[0].children[5].textContent === duration(Math.min(...spans.map(span => span.total))));
element('search').value = 'legacyd CUSTOMERS.db';
element('search').dispatchEvent(new Event('input'));
seen.push(rows().length > 0 && rows().length < 50 && rows().every(row => /legacyd.*customers\.db/.test(row.textContent)));
press('#layout-tree');
seen.push(timeline.rows === timeline.boxes.length && timeline.rows > 0);
press('#zoom-in'); press('#zoom-out'); press('#zoom-all'); press('#theme'); press('#matrix button');
seen.push(rows().length > 0);
document.title = seen.join(' ');
</script>
END
    run -0 --separate-stderr browse
    [ -z "$stderr" ]
    [[ $output == *"<title>true true true true true true true</title>"* ]] || { grep -o '<title>.*</title>' <<<"$output" && return 1; }
}
