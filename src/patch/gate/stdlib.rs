//! The names of standard libraries, as far as an import of them needs no package. What they can
//! do is looked at by `powers`.

fn has(list: &str, name: &str) -> bool {
    list.split_whitespace().any(|word| word == name)
}

pub(super) fn is_python(module: &str) -> bool {
    has(PYTHON, module)
}

pub(super) fn is_node(module: &str) -> bool {
    has(NODE, module)
}

/// By the first part of the path.
pub(super) fn is_go(first: &str) -> bool {
    has(GO, first)
}

pub(super) fn is_ruby(library: &str) -> bool {
    has(RUBY, library)
}

const PYTHON: &str = "__future__ abc aifc argparse array ast asynchat asyncio asyncore atexit audioop \
    base64 bdb binascii bisect builtins bz2 calendar cgi cgitb chunk cmath cmd code codecs codeop \
    collections colorsys compileall concurrent configparser contextlib contextvars copy copyreg \
    cProfile crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest \
    email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch fractions ftplib \
    functools gc getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http imaplib \
    imghdr imp importlib inspect io ipaddress itertools json keyword linecache locale logging lzma \
    mailbox marshal math mimetypes mmap modulefinder multiprocessing netrc numbers operator optparse \
    os pathlib pdb pickle pickletools pkgutil platform plistlib poplib posix posixpath pprint profile \
    pstats pty pwd py_compile pyclbr pydoc queue quopri random re readline reprlib resource \
    rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site smtplib sndhdr \
    socket socketserver sqlite3 ssl stat statistics string stringprep struct subprocess sunau symtable \
    sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios test textwrap threading time \
    timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle types typing \
    unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser wsgiref xdrlib xml \
    xmlrpc zipapp zipfile zipimport zlib zoneinfo sitecustomize usercustomize";

const NODE: &str = "assert assert/strict async_hooks buffer child_process cluster console constants \
    crypto dgram diagnostics_channel dns domain events fs http http2 https inspector module net os \
    path perf_hooks process punycode querystring readline repl stream string_decoder timers tls \
    trace_events tty url util v8 vm wasi worker_threads zlib";

const GO: &str = "archive bufio builtin bytes cmp compress container context crypto database debug embed \
    encoding errors expvar flag fmt go hash html image index io iter log maps math mime net os path \
    plugin reflect regexp runtime slices sort strconv strings structs sync syscall testing text time \
    unicode unique unsafe weak";

const RUBY: &str = "abbrev base64 benchmark bigdecimal bundler cgi coverage csv date delegate did_you_mean \
    digest drb English erb error_highlight etc expect fcntl fiddle fileutils find forwardable getoptlong \
    io ipaddr irb json logger matrix minitest monitor mutex_m net nkf objspace observer open-uri open3 \
    openssl optparse ostruct pathname pp prettyprint prime pstore psych pty racc rake random rdoc \
    readline reline resolv rexml rinda ripper securerandom set shellwords singleton socket stringio \
    strscan syslog tempfile test-unit test time timeout tmpdir tracer tsort un uri weakref yaml zlib";
