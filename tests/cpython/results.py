"""Runs tests of CPython's own suite and writes one line for each: its name and what came of it.

    results.py FILE TEST…

Everything that the tests print goes to standard error. The skipped carry their reason, so that a test which is
skipped in one interpreter alone shows.
"""

import sys
import unittest


class Results(unittest.TextTestResult):
    """Collects an outcome for every test, subtests included."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.lines = []

    def note(self, test, outcome):
        self.lines.append(f"{test.id()}: {outcome}")

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, f"failed ({err[0].__name__})")

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, f"error ({err[0].__name__})")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, f"skipped ({reason})")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.note(test, "failed as expected")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note(test, "passed unexpectedly")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note(subtest, f"failed ({err[0].__name__})")


def main():
    path, names = sys.argv[1], sys.argv[2:]
    from test import support

    support.verbose = 0
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    runner = unittest.TextTestRunner(stream=sys.stderr, resultclass=Results, verbosity=0)
    result = runner.run(suite)
    with open(path, "w", encoding="utf-8") as file:
        for line in sorted(result.lines):
            print(" ".join(line.split()), file=file)


if __name__ == "__main__":
    main()
