# SPDX-License-Identifier: Apache-2.0
"""Builds, runs every suite with its output in build/test-results, sums the JUnit files, and lets nothing stay behind."""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import junit
import leftovers
import lint

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
RESULTS = BUILD / "test-results"
PYTHON = BUILD / "venv/bin/python"
JOBS = str(min(os.cpu_count() or 1, 8))
PROGRESS_SECONDS = 20
LONGEST_BUILD_AHEAD = 3000
LEFT_TIME = 3  # how much longer than alone a suite may take in the time that others leave

HELP = """\
examples:
  tests/run                       everything but the long ones; about 20 minutes on two cores
  tests/run --quick               build, formatting, unit tests and the short integration tests
  tests/run unit                  one suite
  tests/run integration -- -k kill      what follows -- goes to pytest
  tests/run --fuzz --bench        these in addition
"""


class Run:
    """One suite at work: its log, its JUnit file, its steps."""

    def __init__(self, name, options):
        self.name = name
        self.options = options
        self.log = RESULTS / f"{name}.log"
        self.xml = RESULTS / f"{name}.xml"
        self.log_file = open(self.log, "w", encoding="utf-8", errors="replace")
        self.ok = True

    def step(self, command, limit, cwd=ROOT, **environment):
        """Runs one command; a non-zero exit or the watchdog's end fails the suite. Returns whether it went well."""
        env = {**os.environ, **{key: str(value) for key, value in environment.items()}}
        self.log_file.write(f"$ {' '.join(map(str, command))}\n")
        self.log_file.flush()
        process = subprocess.Popen(list(map(str, command)), cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                                   stdout=self.log_file, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            self.log_file.write(f"\nended by the watchdog after {limit} s\n")
            leftovers.end_tree(process.pid)
            process.wait()
            status = -1
        except BaseException:
            leftovers.end_tree(process.pid)
            raise
        self.ok = self.ok and status == 0
        return status == 0

    def last_line(self):
        with open(self.log, "rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 2000))
            lines = log.read().decode("utf-8", "replace").split("\n")
        return next((line.strip()[:110] for line in reversed(lines) if line.strip()), "")


def cmake_build(run, preset, folder, *targets):
    # The day-to-day build may have been configured before all packages were here (tools/demo).
    wants_configuring = folder == BUILD or not (folder / "build.ninja").exists()
    if wants_configuring and not run.step(["cmake", "--preset", preset], 300):
        return False
    if folder != BUILD and not (folder / "npm").exists():
        (folder / "npm").symlink_to("../npm")  # one download serves all builds
    wanted = ["--target", *targets] if targets else []
    return run.step(["cmake", "--build", folder, "--parallel", JOBS, *wanted], 1500)


class Meanwhile:
    """What needs a processor and no clock: the sanitizers' programs are built, then texts are checked and models are run,
    in the time that is left (SCHED_IDLE) while other suites mostly wait for media to play in real time. A sanitizer's
    suite waits for its build, and builds again in the ordinary way: then nothing is left to do, or it says why."""

    def __init__(self, builds, suites, options):
        self.builds = builds
        self.suites = suites
        self.options = options
        self.process = None
        self.stopped = False
        self.fault = None
        self.built = {name: threading.Event() for name in builds}
        self.total = junit.Counts(0, 0, 0)
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self):
        try:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # of this thread and of all that it starts
            for name in self.builds:
                self._build(name)
                self.built[name].set()
            for name in self.suites:
                if not self.stopped:
                    self.total += perform(name, self.options)
        except Exception as fault:  # told by finish(), in the thread that counts
            self.fault = fault
        finally:
            for built in self.built.values():
                built.set()

    def _build(self, name):
        preset, targets = SANITIZERS[name]
        wanted = ["--target", *targets] if targets else []
        for words in ["cmake", "--preset", preset], ["cmake", "--build", BUILD / name, "--parallel", JOBS, *wanted]:
            if not self.stopped:
                with open(RESULTS / f"{name}-ahead.log", "ab") as log:
                    self.process = subprocess.Popen(list(map(str, words)), cwd=ROOT, stdout=log, stderr=log,
                                                    stdin=subprocess.DEVNULL, start_new_session=True)
                    try:
                        self.process.wait(LONGEST_BUILD_AHEAD)
                    except subprocess.TimeoutExpired:  # its suite goes on with it, and judges
                        leftovers.end_tree(self.process.pid)
                        self.process.wait()

    def wait(self, name):
        """Until `name` can begin: a sanitizer's suite after its build, a bench with the machine to itself."""
        if name in self.built:
            self.built[name].wait()
        if name == "bench":
            self.thread.join()

    def finish(self):
        self.thread.join()
        if self.fault:
            raise self.fault
        return self.total

    def stop(self):
        self.stopped = True
        if self.process and self.process.poll() is None:
            leftovers.end_tree(self.process.pid)


def ctest(run, folder, *selection, prefix=()):
    # Many of these wait for a time-out of the product, so more run at once than there are cores.
    return run.step([*prefix, "ctest", "--test-dir", folder, "--output-on-failure", "--parallel", str(2 * int(JOBS)),
                     "--timeout", "240", "--no-tests=error", "--output-junit", run.xml, *selection], 900)


def suite_build(run):
    cmake_build(run, "dev", BUILD)


def suite_unit(run):
    ctest(run, BUILD)


def suite_format(run):
    lint.formatting(run.xml, run.log_file)


def suite_shell(run):
    lint.shell(run.xml, run.log_file)


def suite_model(run):
    run.step([ROOT / "tests/model/run", "--junit", run.xml], LEFT_TIME * 600)


def suite_tidy(run):
    # The other builds compile many files as one.
    if run.step(["cmake", "--preset", "tidy"], LEFT_TIME * 300):
        lint.tidy(run.xml, run.log_file, BUILD / "tidy", int(JOBS), run.options.tidy)


def pytest(run, *words, build=BUILD, limit=1500):
    # Most of these tests wait for media to play in real time, so more run at once than there are cores.
    run.step([PYTHON, "-m", "pytest", "-p", "no:cacheprovider", "-v", "-n", str(int(JOBS) + 1), "--dist", "worksteal",
              "--junitxml", run.xml, *words], limit, RINGCAST_BUILD=build)


def suite_integration(run):
    marks = ["-m", "not slow"] if run.options.quick else []
    pytest(run, *marks, "tests/integration", *run.options.pytest)


def suite_asan(run):
    folder = BUILD / "asan"
    # detect_leaks needs ptrace, which some containers forbid; LeakSanitizer then says so and the suite fails loudly.
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=1:strict_string_checks=1")
    os.environ.setdefault("LSAN_OPTIONS", f"suppressions={ROOT}/tests/support/lsan.supp:print_suppressions=0")
    os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    preset, targets = SANITIZERS["asan"]
    if not cmake_build(run, preset, folder, *targets):
        return
    unit = run.xml
    ctest(run, folder)
    run.xml = RESULTS / "asan-integration.xml"
    pytest(run, "-m", "asan", "tests/integration", build=folder)
    junit.merge(unit, run.xml)
    run.xml = unit


def suite_tsan(run):
    folder = BUILD / "tsan"
    preset, targets = SANITIZERS["tsan"]
    if not cmake_build(run, preset, folder, *targets):
        return
    # ThreadSanitizer of GCC 12 cannot live with the address randomisation of newer kernels.
    fixed = ["setarch", "--addr-no-randomize"]
    works = subprocess.run([*fixed, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
    os.environ.setdefault("TSAN_OPTIONS", "halt_on_error=1 second_deadlock_stack=1")
    whole = run.xml
    for part, selection in TSAN_FOLDERS.items():
        run.xml = RESULTS / f"tsan-{part.replace('/', '-')}.xml"
        ctest(run, folder / "tests" / part, *selection, prefix=fixed if works else [])
        junit.merge(whole, run.xml)
    run.xml = whole


def suite_browser(run):
    tests = sorted((ROOT / "tests/browser").glob("*.test.mjs"))
    run.step(["node", "--test", "--test-reporter", "spec", "--test-reporter-destination", "stdout", "--test-reporter",
              ROOT / "tests/browser/junit-reporter.mjs", "--test-reporter-destination", run.xml, *tests], 900,
             RINGCAST_BUILD=BUILD, RINGCAST_QUICK="1" if run.options.quick else "")


def suite_soak(run):
    """The long forms of tests that run in a short form every time."""
    os.environ["RINGCAST_SOAK"] = "1"
    whole = run.xml
    run.xml = RESULTS / "soak-stress.xml"
    run.step([BUILD / "tests/bus_stress", f"--gtest_output=xml:{run.xml}"], 3600)
    junit.merge(whole, run.xml)
    run.xml = RESULTS / "soak-integration.xml"
    pytest(run, "-m", "soak", "tests/integration", limit=7200)
    junit.merge(whole, run.xml)
    run.xml = RESULTS / "soak-browser.xml"
    suite_browser(run)
    junit.merge(whole, run.xml)
    run.xml = whole
    del os.environ["RINGCAST_SOAK"]


def suite_bench(run):
    bench = [ROOT / "tests/bench/run", "--build", BUILD, "--junit", run.xml, *(["--full"] if run.options.bench else [])]
    run.step(bench, 1800)
    overhead = [PYTHON, ROOT / "tests/bench/overhead_bench.py", "--build", BUILD,
                "--json", RESULTS / "overhead.json", *([] if run.options.bench else ["--short"])]
    whole = run.xml
    run.xml = RESULTS / "bench-overhead.xml"
    done = run.step(overhead, 900)
    junit.write(run.xml, "bench", {"overhead": None if done else "a ratio is above the gate, or it did not run"})
    junit.merge(whole, run.xml)
    run.xml = whole
    if run.options.bench:
        print(run.log.read_text(encoding="utf-8"), flush=True)


def suite_fuzz(run):
    folder = BUILD / "fuzz"
    if not cmake_build(run, "fuzz", folder, *FUZZERS):
        return
    results = {}
    for name in FUZZERS:
        corpus = BUILD / "fuzz-corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        seconds = 60 if run.options.fuzz else 10
        done = run.step([folder / "fuzzers" / name, f"-max_total_time={seconds}", "-timeout=20", "-print_final_stats=1",
                         f"-artifact_prefix={RESULTS}/", corpus], 300)
        results[name] = None if done else f"the input that did it is in {RESULTS}"
        for left in Path("/dev/shm").glob("ringcast.fuzz-*"):  # a crash cannot clean up after itself
            left.unlink()
    junit.write(run.xml, "fuzz", results)


# Suite: preset, targets (none: all).
SANITIZERS = {"asan": ("asan-ubsan", []), "tsan": ("tsan", ["bus_tests", "bus_stress", "runtime_pipeline_test"])}
# Of the runtime what has threads of its own; the other test programs are not built here.
TSAN_FOLDERS = {"unit/bus": [], "stress": [], "unit/runtime": ["-R", "^(OutputThread|PacketQueue|Pipeline)"]}
FUZZERS = ["hostile_bus_fuzzer"]
ALWAYS = ["build"]
MEANWHILE = ["format", "shell", "model", "tidy"]
QUICK = ["format", "shell", "unit", "integration"]
FULL = [*MEANWHILE, "unit", "integration", "browser", "fuzz", "asan", "tsan", "bench"]
EXTRA = ["soak"]
SUITES = {name: globals()[f"suite_{name}"] for name in [*ALWAYS, *FULL, *EXTRA]}


def perform(name, options, meanwhile=None):
    """Runs one suite while a line now and then says where it is. Returns its counts."""
    run = Run(name, options)
    begun = time.monotonic()

    def work():
        if meanwhile:
            meanwhile.wait(name)
        SUITES[name](run)

    worker = threading.Thread(target=work, daemon=True)
    run.xml.unlink(missing_ok=True)
    worker.start()
    print(f"{name} ...", flush=True)
    worker.join(PROGRESS_SECONDS)
    while worker.is_alive():
        print(f"{name} ... {time.monotonic() - begun:.0f} s: {run.last_line()}", flush=True)
        worker.join(PROGRESS_SECONDS)
    run.log_file.close()
    counts, failures = junit.count(run.xml)
    if not run.ok and not failures:
        failures = [f"{name} itself: {run.last_line()}"]
        counts = junit.Counts(counts.passed, counts.failed + 1, counts.skipped)
    elif name not in ALWAYS and not sum(counts):
        failures = [f"{name} ran no test"]
        counts = junit.Counts(0, 1, 0)
    seconds = time.monotonic() - begun
    print(f"{name}: {counts.passed} ok, {counts.failed} not, {counts.skipped} left out, {seconds:.0f} s", flush=True)
    for line in junit.made_again(run.xml):
        print(f"  made again {line}", flush=True)
    for failure in failures:
        print(f"  FAILED {failure}   (log: {run.log.relative_to(ROOT)})", flush=True)
    return counts


def parse():
    parser = argparse.ArgumentParser(prog="tests/run", description="Runs ringcast's tests; closes with one line.",
                                     epilog=HELP, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="suite", help=f"one of: {' '.join([*FULL, *EXTRA])}")
    parser.add_argument("--quick", action="store_true", help="leave out sanitizers, clang-tidy, browser, slow tests")
    parser.add_argument("--soak", action="store_true", help="also an hour of two sinks, ten minutes of stress")
    parser.add_argument("--tidy", action="store_true", help="clang-tidy of every source, not only of what changed last")
    parser.add_argument("--fuzz", action="store_true", help="each fuzz harness for a minute instead of ten seconds")
    parser.add_argument("--bench", action="store_true", help="the benches with every peer and 32 readers")
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options = parser.parse_args(sys.argv[1:at])
    options.pytest = sys.argv[at + 1:]
    unknown = [name for name in options.suites if name not in SUITES]
    if unknown:
        parser.error(f"no suite is called {unknown[0]!r}")
    return options


def chosen(options):
    names = options.suites or (QUICK if options.quick else FULL)
    return [*names, *(name for name in [*EXTRA, "fuzz", "bench"] if getattr(options, name) and name not in names)]


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(128 + signal.SIGINT))
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    before = leftovers.begin()
    total = junit.Counts(0, 0, 0)
    meanwhile = None
    begun = time.monotonic()
    try:
        built = perform("build", options)
        total += built
        names = chosen(options) if not built.failed else []
        beside = [name for name in MEANWHILE if name in names and "integration" in names]
        meanwhile = Meanwhile([name for name in names if name in SANITIZERS], beside, options)
        for name in names:
            if name not in beside:
                total += perform(name, options, meanwhile)
        total += meanwhile.finish()
    except SystemExit as stop:
        # The suites' threads would start what comes next: they end with this process, and it after what they started.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while leftovers.marked_processes():
            leftovers.finish(before)
        os._exit(stop.code)
    finally:
        if meanwhile:
            meanwhile.stop()
        for line in leftovers.finish(before):
            print(f"  FAILED left behind: {line}", flush=True)
            total += junit.Counts(0, 1, 0)
    print(f"all of it took {time.monotonic() - begun:.0f} s; logs and JUnit files: {RESULTS.relative_to(ROOT)}")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
