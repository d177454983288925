"""A writer in an Emacs that has never heard of WriteIt: eglot, and nothing else."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from emacs.driving import ENTER, Emacs, text
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MENU = '(and (active-minibuffer-window) (string-match "Pick an action" (prompt)) t)'
HELP = """\
(defun candidates ()
  (with-current-buffer (window-buffer (active-minibuffer-window))
    (vconcat (all-completions "" minibuffer-completion-table))))
"""
"""What can be answered in the minibuffer."""

MOVED = """\
(when (bound-and-true-p eglot--managed-mode)
  (jsonrpc-async-request (eglot-current-server) :textDocument/hover
    (eglot--TextDocumentPositionParams) :success-fn #'ignore :error-fn #'ignore)
  t)
"""
"""What ElDoc does when the cursor has moved."""

CLOSE = "\x1d"
"""Leaves a question: a C-g would also end what the tests are asking just then."""
NEXT_LINE = "\x0e"
MARK, LINE_END, UNDO, SAVE = "\x00", "\x05", "\x1f", "\x18\x13"
MESSAGES = "\x18b*Messages*\r"
FIND_FILE, LEAVE = "\x18\x06", "\x18\x03"


class Writer(Emacs):
    """What a person does and sees in Emacs with eglot."""

    def __init__(self, home: Path, environment: Mapping[str, str], init: str) -> None:
        super().__init__(home, environment, HELP + init)
        self.heard = 0
        self.folder = home / "texts"

    def waited(
        self, condition: Callable[[], Any], within: float = PATIENCE, what: str = ""
    ) -> Any:
        """Wait as a person does, who moves the cursor now and then: ElDoc asks then.

        The jsonrpc of Emacs 28 leaves what came in one piece with a reply, and behind
        it, until the server says something more.
        """
        moved = time.monotonic()

        def looked() -> Any:
            nonlocal moved
            if not (value := condition()) and time.monotonic() > moved + 1:
                moved = time.monotonic()
                self.lisp(MOVED)
            return value

        return super().waited(looked, within, what)

    # --- her texts ------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Open a file and wait until a server looks after it."""
        self.keys(f"{FIND_FILE}{path}{ENTER}")
        self.managed(path)

    def managed(self, path: Path) -> None:
        """Wait until she has a file before her, and a server looks after it."""
        self.until(f"(equal buffer-file-name {text(str(path))})")
        self.until("(and (bound-and-true-p eglot--managed-mode) t)")

    def text(self) -> str:
        """What she has before her."""
        return str(self.lisp("(buffer-substring-no-properties 1 (point-max))"))

    def sees(self, words: str) -> None:
        """Wait until something stands in her text."""
        self.waited(lambda: words in self.text(), PATIENCE, words)

    def goto(self, words: str) -> None:
        """Put the cursor before some words."""
        find = f"(goto-char 1) (search-forward {text(words)})"
        self.lisp(f"(progn (deactivate-mark) {find} (goto-char (match-beginning 0)))")

    def select_line(self, words: str) -> None:
        """Mark from some words to the end of their line."""
        self.goto(words)
        self.keys(MARK + LINE_END)
        self.until("(and (use-region-p) (= (point) (line-end-position)))")

    def type(self, words: str) -> None:
        """Type where the cursor is."""
        self.keys(words)
        self.sees(words)

    def say(self, words: str) -> None:
        """Type into a page's Feedback section."""
        self.goto("<!-- writeit:feedback -->")
        self.lisp("(forward-line 1)")
        self.type(words)

    # --- what she is offered and told -------------------------------------------------

    def offered(self) -> list[str]:
        """Ask for code actions; the question what to do stays open."""
        self.command("eglot-code-actions")
        self.until(MENU)
        return [str(title) for title in self.lisp("(candidates)")]

    def leave_question(self) -> None:
        """Answer nothing."""
        self.keys(CLOSE)
        self.until("(not (active-minibuffer-window))")

    def take(self, title: str) -> str:
        """Take the offer that begins so, once it is there; return its whole title."""
        end = time.monotonic() + PATIENCE
        while True:
            offers = self.offered()
            for offer in offers:
                if re.match(title, offer.removeprefix("WriteIt: ")):
                    self._answer(offer)
                    return offer
            self.leave_question()
            assert time.monotonic() < end, (title, offers)

    def _answer(self, offer: str) -> None:
        """Answer the question; a person would complete the title with TAB."""
        window = "(active-minibuffer-window)"
        put = f"(delete-minibuffer-contents) (insert {text(offer)})"
        self.lisp(f"(with-selected-window {window} {put} t)")
        self.keys(ENTER)
        self.until("(not (active-minibuffer-window))")

    def messages(self) -> str:
        """All that she was told."""
        return str(self.lisp('(with-current-buffer "*Messages*" (buffer-string))'))

    def told(self, words: str) -> str:
        """Wait until she is told something; return the line, and go on behind it."""

        def line() -> re.Match[str] | None:
            pattern = re.compile(f".*{words}.*")
            return pattern.search(self.messages(), self.heard)

        found = self.waited(line, PATIENCE, words)
        self.heard = found.end()
        # The same words said twice in a row would be one line, "[2 times]", else.
        self.lisp(f'(let ((inhibit-message t)) (message "heard {self.heard}"))')
        return str(found[0])

    def open_page(self, title: str) -> Path:
        """Take an offer that shows a page; open the file where the message names it."""
        self.take(title)
        uri = self.told("WriteIt: file://").rpartition("file://")[2]
        self.keys(MESSAGES)
        self.until('(equal (buffer-name) "*Messages*")')
        self.lisp('(progn (goto-char (point-max)) (search-backward "file://"))')
        self.command("ffap")
        self.until('(and (active-minibuffer-window) (string-match "Find" (prompt)) t)')
        self.keys(ENTER)
        path = Path(unquote(uri))
        self.managed(path)
        return path
