# Makes the manual page of the configuration, in scdoc's language, from the example
# configuration, which describes every key: so a key cannot be missing here.
function marked(text) {
    gsub(/\\/, "\\\\", text)
    gsub(/[_*`]/, "\\\\&", text)
    return text
}
function add(line) { comment = comment line "\n" }
# The comment so far, each line with `indent` before it.
function show(indent,    lines, count, i, literal) {
    count = split(comment, lines, "\n")
    literal = 0
    for (i = 1; i < count; ++i) {
        if ((lines[i] ~ /^  /) != literal) {
            print indent "```"
            literal = !literal
        }
        if (lines[i] == "") print ""
        else print indent (literal ? substr(lines[i], 3) : marked(lines[i]))
    }
    if (literal) print indent "```"
    comment = ""
}
BEGIN {
    print "chatd.toml(5)\n\n# NAME\n\nchatd.toml - the configuration of chatd\n"
    print "# SYNOPSIS\n\n_/etc/chatd/chatd.toml_\n\n# DESCRIPTION\n"
}
/^#/ {
    sub(/^# ?/, "")
    add($0)
    next
}
/^\[/ {
    # Before the first section stands what holds for all of them, and a blank line.
    print "# " toupper($0) "\n"
    show("")
    print ""
    next
}
/=/ {
    split($0, part, / = /)
    print "*" marked(part[1]) "* = " marked(part[2])
    show("\t")
    print ""
    next
}
# What stands alone: what holds for all sections, and the tables inside of one.
/^$/ && comment != "" {
    show("")
    print ""
}
END {
    print "# SEE ALSO\n\n*chatd*(8), *chatctl*(1)"
}
