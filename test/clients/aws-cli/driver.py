"""Runs commands of the AWS CLI for tests: one line of JSON in, {"args": [...]}, one out, {"code", "stdout", "stderr"}.

Every command is a process of its own with its own exit code and streams. It is forked from this one, which has loaded
awscli and its service models before, so that a command costs a fraction of a second of processor time. Where the CLI
brings a Python of its own and cannot be imported, `aws` itself is started for every command.
"""

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile

try:
    from awscli.clidriver import create_clidriver
except ImportError:
    create_clidriver = None


SERVICES = ("iot", "iot-data", "iot-jobs-data")
COMMAND_DEADLINE_S = 40


def load():
    """Loads models, endpoints and tables of commands. No command is run: that starts a thread, which no fork survives."""
    driver = create_clidriver()
    for service in SERVICES:
        driver.session.create_client(service, aws_access_key_id="none", aws_secret_access_key="none")
        driver.subcommand_table[service].subcommand_table.keys()
    # Collections would copy pages that parent and children could share.
    gc.disable()
    gc.freeze()
    return driver


def run_forked(driver, args, out, err):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 255
    try:
        signal.alarm(COMMAND_DEADLINE_S)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")
        code = driver.main(args)
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


def run_process(args, out, err):
    return subprocess.run(["aws", *args], stdin=subprocess.DEVNULL, stdout=out, stderr=err).returncode


def text_of(file):
    file.seek(0)
    return file.read().decode()


driver = load() if create_clidriver else None
for line in sys.stdin:
    args = json.loads(line)["args"]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = run_forked(driver, args, out, err) if driver else run_process(args, out, err)
        answer = {"code": code, "stdout": text_of(out), "stderr": text_of(err)}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
