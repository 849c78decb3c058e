#!/bin/sh
# check-headers.sh [FOLDER]: whether no location of the edge's files, in FOLDER (/etc/nginx) as Nginx takes them, passes on what a client forges. Every
# proxy_pass and grpc_pass has to get its headers from a level that includes the list: from its own, or from the nearest around it that has a
# proxy_set_header or grpc_set_header, as Nginx does it. And whether no error_page in site.d comes after one of snippets/again.conf for the same status, which
# counts. Prints the first line that spoils this, and why. What it does not understand is refused too.
# Needs only what the image has: sh and awk. For check.sh.
# https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header
set -eu

# LC_ALL: one character for each byte
LC_ALL=C awk -v root="${1:-/etc/nginx}" '
BEGIN {
  list["proxy"] = "snippets/request-headers.conf"
  list["grpc"] = "snippets/grpc-request-headers.conf"
  block = 0
  kind[0] = "main"
  read_file(root "/nginx.conf")
  judge()
}

# refuse PLACE TEXT: the end.
function refuse(place, text) {
  print place ": " text
  exit 1
}

# read_file FILE: takes its statements, word by word as Nginx does: src/core/ngx_conf_file.c, ngx_conf_read_token.
function read_file(file,   line, number, status, i, c, state, words, count, escaped, variable) {
  state = "space"
  while ((status = (getline line <file)) > 0) {
    number++
    line = line "\n"
    for (i = 1; i <= length(line); i++) {
      c = substr(line, i, 1)
      if (escaped) {
        words[count] = words[count] (c == "t" || c == "r" || c == "n" ? " " : index("\"\047\\", c) ? c : "\\" c)
        escaped = 0
        continue
      }
      if (state == "space" && c == "#") break
      if (state == "space" || state == "quoted") {
        if (c ~ /[ \t\r\n]/) {
          state = "space"
          continue
        }
        if (c == ")" && state == "quoted") {
          state = "space"
          continue
        }
        if (c == ";" || c == "{" || c == "}") {
          statement(c, words, count, at_line(file, number))
          state = "space"
          count = 0
          continue
        }
        if (state == "quoted") refuse(at_line(file, number), "a space is missing after the quote")
        words[++count] = ""
        state = "word"
        variable = 0
        if (c == "\"" || c == "\047") {
          state = c
          continue
        }
      }
      if (c == "{" && variable) {
        words[count] = words[count] c
        continue
      }
      variable = c == "$"
      if (c == "\\") {
        escaped = 1
      } else if (c == state) {
        state = "quoted"
      } else if (state == "word" && c ~ /[ \t\r\n]/) {
        state = "space"
      } else if (state == "word" && (c == ";" || c == "{")) {
        statement(c, words, count, at_line(file, number))
        state = "space"
        count = 0
      } else {
        words[count] = words[count] c
      }
    }
  }
  if (status < 0) refuse(at_line(file, 1), "cannot be read")
  if (count > 0 || state == "\"" || state == "\047") refuse(at_line(file, number), "ends in the middle of a line")
  close(file)
}

# at_line FILE NUMBER: as people have it.
function at_line(file, number) {
  sub("^" root "/", "nginx/", file)
  return file ":" number
}

# statement END WORDS COUNT PLACE: what stands there.
function statement(end, words, count, place) {
  if (end == "}") {
    block = parent[block]
  } else if (end == "{") {
    if (kind[block] == "http" && words[1] ~ /^(map|geo|split_clients)$/) define(words[count], place)
    parent[++blocks] = block
    kind[blocks] = inside(kind[block], words[1]) ? words[1] : "other"
    block = blocks
  } else if (kind[block] != "other") {
    directive(words, count, place)
  }
}

# inside AROUND NAME: whether this block may hold what is looked for.
function inside(around, name) {
  return around == "main" ? name == "http" : around != "other" && name ~ /^(server|location|if|limit_except)$/
}

# define NAME PLACE: a variable, which Nginx lets a later map replace without a word.
function define(name, place) {
  if (name in defined) refuse(place, name " is defined already, in " defined[name] ": give this one another name")
  defined[name] = place
}

# error_page WORDS COUNT PLACE: one of the site itself, at the level of its server.
function error_page(words, count, place,   i) {
  sub(/:[0-9]+$/, "", place)
  for (i = 2; i < count; i++) {
    if (place == "nginx/snippets/again.conf") taken[words[i]] = 1
    if (place ~ /^nginx\/site\.d\// && words[i] in taken)
      refuse(place, "error_page " words[i] " has no effect here, because nginx/snippets/again.conf has it first: put it into nginx/errors.d")
  }
}

function directive(words, count, place,   way) {
  way = words[1]
  sub(/_.*/, "", way)
  if (words[1] == "include") {
    include(words[2])
  } else if (kind[block] == "main") {
    return
  } else if (words[1] == "error_page" && kind[block] == "server") {
    error_page(words, count, place)
  } else if (words[1] == "set") {
    if (words[2] in defined) refuse(place, words[2] " is defined already, in " defined[words[2]] ": give this one another name")
    if (claimed(words[3])) {
      sub(/^\$/, "", words[2])
      claims[words[2]] = 1
    }
  } else if (words[1] ~ /^(proxy|grpc)_set_header$/) {
    header(way, tolower(words[2]), words[3], place)
  } else if (words[1] ~ /_pass$/) {
    if (way != "memcached") { # which gets no headers
      passes++
      pass_way[passes] = way
      pass_place[passes] = place
      pass_block[passes] = block
    }
  } else if (words[1] ~ /_pass_request_headers$/ && words[2] == "off") {
    without[block, way] = 1
  } else if (words[1] ~ /^(proxy|grpc)_hide_header$/ && kind[block] != "http") {
    if (!((block, way) in hides)) hides[block, way] = place
    if (tolower(words[2]) == "upgrade") hides_upgrade[block, way] = 1
  } else if (words[1] == "set_real_ip_from" && words[2] ~ /\/[0-7]$/) {
    refuse(place, "believes the address that any client claims")
  } else if (words[1] == "underscores_in_headers" && words[2] == "on" || words[1] == "ignore_invalid_headers" && words[2] == "off") {
    refuse(place, "with " words[1] " " words[2] " a client forges X_Real_IP, which many applications take for X-Real-IP")
  }
}

# include PATTERN: the files in its place.
function include(pattern,   way, command, name, files, count, i) {
  if (pattern !~ /^\//) pattern = root "/" pattern
  for (way in list)
    if (pattern == root "/" list[way]) {
      listed[block, way] = 1
      in_list++
    }
  gsub(/[^A-Za-z0-9_.\/*?\[\]-]/, "\\\\&", pattern)
  command = "for file in " pattern "; do [ ! -e \"$file\" ] || printf \"%s\\n\" \"$file\"; done"
  while ((command | getline name) > 0) files[++count] = name
  close(command)
  for (i = 1; i <= count; i++) read_file(files[i])
  in_list = 0
}

# header WAY NAME VALUE PLACE: one line of this level.
function header(way, name, value, place) {
  at[block, way] = 1
  if (in_list) {
    if (claimed(value)) refuse(place, "passes on what a client forges as " name)
    on_list[way, name] = value
    if (name !~ /^if-/) known[way, name] = 1 # a client may make a request conditional
    return
  }
  lines++
  line_way[lines] = way
  line_name[lines] = name
  line_value[lines] = value
  line_place[lines] = place
  line_block[lines] = block
  if (!((block, way) in first)) first[block, way] = place
}

# claimed VALUE: whether it holds what the client has written, itself or by a variable of `set`; a map may have looked at it.
function claimed(value,   name) {
  while (match(value, /\$\{?[A-Za-z0-9_]+/)) {
    name = substr(value, RSTART, RLENGTH)
    sub(/^\$\{?/, "", name)
    if (name ~ /^(http_|cookie_|arg_|proxy_add_x_forwarded_for$)/ || name in claims) return 1
    value = substr(value, RSTART + RLENGTH)
  }
  return 0
}

# judge: once everything is read, because a line may come after what it counts for.
function judge(   i, b, way, part) {
  for (i = 1; i <= passes; i++) {
    way = pass_way[i]
    if ((pass_block[i], way) in without) continue
    if (way != "proxy" && way != "grpc")
      refuse(pass_place[i], way "_pass would pass on what a client forges: it needs \"" way "_pass_request_headers off;\" beside it")
    for (b = pass_block[i]; b != 0 && !((b, way) in at); b = parent[b]);
    if (b == 0) refuse(pass_place[i], way "_pass would pass on what a client forges: nothing around it includes " list[way])
    if (!((b, way) in listed))
      refuse(first[b, way], "a " way "_set_header of its own needs \"include " list[way] ";\" beside it: else " way "_pass (" pass_place[i] ") passes on what a client forges")
  }
  if (!passes) refuse("nginx/nginx.conf:1", "holds no proxy_pass, so it was not understood")
  for (b in hides) {
    split(b, part, SUBSEP)
    if (!(b in hides_upgrade))
      refuse(hides[b], "a " part[2] "_hide_header of its own needs \"" part[2] "_hide_header Upgrade;\" beside it: else an application that offers an upgrade breaks HTTP/2")
  }
  for (i = 1; i <= lines; i++) {
    way = line_way[i]
    if (claimed(line_value[i]) && (line_name[i] == "host" || (way, line_name[i]) in known))
      refuse(line_place[i], "passes on what a client forges as " line_name[i])
    if ((line_block[i], way) in listed && line_value[i] != "" && on_list[way, line_name[i]] != "")
      refuse(line_place[i], line_name[i] " would be sent twice: " list[way] " sets it")
  }
}
'
