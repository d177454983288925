"""What a user does and sees in an Emacs with eglot and no plug-in."""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from emacs.process import ENTER, Emacs, lisp_string
from support.waiting import TIMEOUT

ACTION_QUESTION = (
    '(and (active-minibuffer-window) (string-match "Pick an action" (prompt)) t)'
)
CANDIDATES = """\
(defun candidates ()
  (with-current-buffer (window-buffer (active-minibuffer-window))
    (vconcat (all-completions "" minibuffer-completion-table))))
"""
"""Defines a function that returns the possible answers in the minibuffer."""

REQUEST_HOVER = """\
(when (bound-and-true-p eglot--managed-mode)
  (jsonrpc-async-request (eglot-current-server) :textDocument/hover
    (eglot--TextDocumentPositionParams) :success-fn #'ignore :error-fn #'ignore)
  t)
"""
"""Does what ElDoc does when the cursor has moved."""

CLOSE = "\x1d"
"""Closes a question; C-g would also interrupt the tests' own Lisp."""
NEXT_LINE = "\x0e"
MARK, LINE_END, UNDO, SAVE = "\x00", "\x05", "\x1f", "\x18\x13"
MESSAGES = "\x18b*Messages*\r"
FIND_FILE, LEAVE = "\x18\x06", "\x18\x03"


class EmacsSession(Emacs):
    """An Emacs with eglot and a folder of notes."""

    def __init__(self, home: Path, environment: Mapping[str, str], init: str) -> None:
        super().__init__(home, environment, CANDIDATES + init)
        self.message_offset = 0
        self.folder = home / "texts"

    def wait_until(
        self, condition: Callable[[], Any], within: float = TIMEOUT, what: str = ""
    ) -> Any:
        """Wait until a condition is true, and send a hover request each second.

        The jsonrpc of Emacs 28 does not process a message that arrives together with
        a reply until the server sends another. A user moves the cursor, which makes
        ElDoc send that request.
        """
        requested = time.monotonic()

        def check() -> Any:
            nonlocal requested
            if not (value := condition()) and time.monotonic() > requested + 1:
                requested = time.monotonic()
                self.lisp(REQUEST_HOVER)
            return value

        return super().wait_until(check, within, what)

    # --- text -----------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Open a file and wait until a server manages it."""
        self.keys(f"{FIND_FILE}{path}{ENTER}")
        self.wait_for_server(path)

    def wait_for_server(self, path: Path) -> None:
        """Wait until a file is in the selected window and a server manages it."""
        self.until(f"(equal buffer-file-name {lisp_string(str(path))})")
        self.until("(and (bound-and-true-p eglot--managed-mode) t)")

    def text(self) -> str:
        """Return the text of the current buffer."""
        return str(self.lisp("(buffer-substring-no-properties 1 (point-max))"))

    def wait_for_text(self, words: str) -> None:
        """Wait until the current buffer contains a text."""
        self.wait_until(lambda: words in self.text(), TIMEOUT, words)

    def wait_until_in_answer(self, number: int, words: str) -> None:
        """Wait until an answer on the current page contains a text."""
        heading = f"## Answer {number} "
        self.wait_until(
            lambda: words in self.text().partition(heading)[2].partition("\n## ")[0],
            TIMEOUT,
            words,
        )

    def move_before(self, words: str) -> None:
        """Move the cursor before a text."""
        find = f"(goto-char 1) (search-forward {lisp_string(words)})"
        self.lisp(f"(progn (deactivate-mark) {find} (goto-char (match-beginning 0)))")

    def select_line(self, words: str) -> None:
        """Mark from a text to the end of its line."""
        self.move_before(words)
        self.keys(MARK + LINE_END)
        self.until("(and (use-region-p) (= (point) (line-end-position)))")

    def type(self, words: str) -> None:
        """Type at the cursor."""
        self.keys(words)
        self.wait_for_text(words)

    def type_feedback(self, words: str) -> None:
        """Type into a page's Feedback section."""
        self.move_before("<!-- writeit:feedback -->")
        self.lisp("(forward-line 1)")
        self.type(words)

    # --- actions and messages ---------------------------------------------------------

    def actions(self) -> list[str]:
        """Open the list of code actions and return their titles."""
        self.command("eglot-code-actions")
        self.until(ACTION_QUESTION)
        return [str(title) for title in self.lisp("(candidates)")]

    def close_question(self) -> None:
        """Close a question without an answer."""
        self.keys(CLOSE)
        self.until("(not (active-minibuffer-window))")

    def run_action(self, pattern: str) -> str:
        """Run the action whose title matches, once it is there; return its title."""
        end = time.monotonic() + TIMEOUT
        while True:
            titles = self.actions()
            for title in titles:
                if re.match(pattern, title.removeprefix("WriteIt: ")):
                    self._answer(title)
                    return title
            self.close_question()
            assert time.monotonic() < end, (pattern, titles)

    def _answer(self, title: str) -> None:
        """Answer the question; a user would complete the title with TAB."""
        window = "(active-minibuffer-window)"
        put = f"(delete-minibuffer-contents) (insert {lisp_string(title)})"
        self.lisp(f"(with-selected-window {window} {put} t)")
        self.keys(ENTER)
        self.until("(not (active-minibuffer-window))")

    def messages(self) -> str:
        """Return all messages."""
        return str(self.lisp('(with-current-buffer "*Messages*" (buffer-string))'))

    def wait_for_message(self, words: str) -> str:
        """Wait for a message after the last one that was waited for; return it."""

        def line() -> re.Match[str] | None:
            pattern = re.compile(f".*{words}.*")
            return pattern.search(self.messages(), self.message_offset)

        found = self.wait_until(line, TIMEOUT, words)
        self.message_offset = found.end()
        # Otherwise Emacs would show two equal messages as one, "[2 times]".
        self.lisp(f'(let ((inhibit-message t)) (message "read {self.message_offset}"))')
        return str(found[0])

    def open_page(self, pattern: str) -> Path:
        """Run an action that shows a page, and open the file that the message names."""
        self.run_action(pattern)
        uri = self.wait_for_message("WriteIt: file://").rpartition("file://")[2]
        self.keys(MESSAGES)
        self.until('(equal (buffer-name) "*Messages*")')
        self.lisp('(progn (goto-char (point-max)) (search-backward "file://"))')
        self.command("ffap")
        self.until('(and (active-minibuffer-window) (string-match "Find" (prompt)) t)')
        self.keys(ENTER)
        path = Path(unquote(uri))
        self.wait_for_server(path)
        return path
