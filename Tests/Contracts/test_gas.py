"""The page of gas figures says what is measured, on every machine, and a row above its published figure is marked."""

import unittest

import gas_table
from gas_table import Row, measure, page, published
from harness import Case, on_every_machine


@on_every_machine
class Page(Case):
    def test_the_page_says_what_is_measured(self):
        told = gas_table.PAGE.read_text().splitlines()
        self.assertEqual(told, page(measure()).splitlines(), "make gas writes it anew")


class Marks(unittest.TestCase):
    def test_a_row_above_its_figure_is_marked(self):
        rows = [Row("a", 1_100, **published(1_000)), Row("b", 1_000, **published(1_000)), Row("c", 5)]
        self.assertEqual([row.above for row in rows], [True, False, False])
        lines = page([("Title", "Text.", rows)]).splitlines()
        self.assertIn("| a | 1,100 | 1,000 | above by 100 |", lines)
        self.assertIn("| b | 1,000 | 1,000 |  |", lines)
        self.assertIn("| c | 5 | none |  |", lines)


if __name__ == "__main__":
    unittest.main()
