# SPDX-License-Identifier: Apache-2.0
"""Random transactions, good and bad, over a schema that has every type and constraint."""
import random

SCHEMA = {
    "name": "all_types", "version": "1.0.0",
    "tables": {
        "root": {
            "isRoot": True,
            "columns": {
                "name": {"type": "string"},
                "number": {"type": {"key": {"type": "integer", "minInteger": -5, "maxInteger": 100}}},
                "ratio": {"type": "real"},
                "flag": {"type": "boolean"},
                "id": {"type": "uuid"},
                "big": {"type": "integer"},
                "maybe_int": {"type": {"key": "integer", "min": 0, "max": 1}},
                "maybe_real": {"type": {"key": {"type": "real", "minReal": -1.5, "maxReal": 1.5},
                                        "min": 0, "max": 1}},
                "color": {"type": {"key": {"type": "string", "enum": ["set", ["red", "green", "blue"]]},
                                   "min": 0, "max": 1}},
                "digits": {"type": {"key": {"type": "integer", "enum": ["set", [1, 2, 3]]},
                                    "min": 0, "max": 3}},
                "ints": {"type": {"key": "integer", "min": 0, "max": "unlimited"}},
                "reals": {"type": {"key": "real", "min": 0, "max": 4}},
                "strings": {"type": {"key": {"type": "string", "minLength": 1, "maxLength": 4},
                                     "min": 0, "max": 3}},
                "some": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
                "map": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
                "int_map": {"type": {"key": "integer", "value": "integer", "min": 0, "max": 3}},
                "fixed": {"type": "string", "mutable": False},
                "passing": {"type": "integer", "ephemeral": True},
                "strong": {"type": {"key": {"type": "uuid", "refTable": "leaf"}, "min": 0,
                                    "max": "unlimited"}},
                "one": {"type": {"key": {"type": "uuid", "refTable": "leaf"}, "min": 0, "max": 1}},
                "weak": {"type": {"key": {"type": "uuid", "refTable": "leaf", "refType": "weak"},
                                  "min": 0, "max": "unlimited"}},
                "strong_map": {"type": {"key": "integer", "value": {"type": "uuid", "refTable": "leaf"},
                                        "min": 0, "max": "unlimited"}},
                "weak_map": {"type": {"key": {"type": "uuid", "refTable": "root", "refType": "weak"},
                                      "value": "string", "min": 0, "max": "unlimited"}},
            },
            "indexes": [["name"], ["number", "color"]],
        },
        "leaf": {
            "columns": {
                "name": {"type": "string"},
                "next": {"type": {"key": {"type": "uuid", "refTable": "leaf"}, "min": 0, "max": 1}},
                "home": {"type": {"key": {"type": "uuid", "refTable": "root", "refType": "weak"},
                                  "min": 0, "max": 1}},
                "needs": {"type": {"key": {"type": "uuid", "refTable": "root", "refType": "weak"},
                                   "min": 0, "max": 2}},
            },
        },
        "few": {
            "isRoot": True, "maxRows": 3,
            "columns": {"name": {"type": "string"},
                        # Its default is not allowed.
                        "level": {"type": {"key": {"type": "integer", "minInteger": 1, "maxInteger": 9}}},
                        "must": {"type": {"key": {"type": "uuid", "refTable": "root", "refType": "weak"},
                                          "min": 1, "max": 2}}},
            "indexes": [["name"]],
        },
    },
}

MUTATORS = ["+=", "-=", "*=", "/=", "%=", "insert", "delete"]
FUNCTIONS = ["<", "<=", "==", "!=", ">=", ">", "includes", "excludes"]
WORDS = ["", "a", "b", "c", "ab", "abc", "name", "red", "green", "four", "fives", "\u00e9\u00e8",
         "a long string that is surely not kept in place", 'quote"back\\slash', "new\nline"]


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.tables = []   # Of the rows inserted so far.
        self.symbols = []

    def chance(self, p):
        return self.r.random() < p

    def uuid(self, table):
        """Mostly of a row of 'table'. Never of another one's: Open vSwitch takes a reference to the UUID of
        the row in which it is for one to that row, whatever its table."""
        if self.symbols and self.chance(.3):
            return ["named-uuid", self.r.choice(self.symbols) + (table or "")]
        rows = [i for i, t in enumerate(self.tables) if t == table or not table]
        if rows and self.chance(.93):
            # Rows that came last are likelier to be there still.
            return ["uuid", f"@{rows[-1 - min(int(self.r.expovariate(.12)), len(rows) - 1)]}"]
        return ["uuid", "%08x-0000-4000-8000-000000000000" % self.r.randrange(3)]

    def atom(self, kind, table=None):
        if self.chance(.015):
            return self.r.choice([None, [], {}, "x", 1.5, True, ["uuid", "nonsense"], ["set", []]])
        if kind == "integer":
            return self.r.choice([0, 1, 2, 3, 4, 5, -1, -6, 100, 101, 7, 2**31, -2**63, 2**63 - 1,
                                  self.r.randrange(-5, 100)])
        if kind == "real":
            return self.r.choice([0, 1, -1.5, 1.5, 0.1, 3.25, -2.5, 1e300, 1e-7, 12345678.5,
                                  self.r.randrange(-8, 8) / 4])
        if kind == "boolean":
            return self.chance(.5)
        if kind == "uuid":
            return self.uuid(table)
        return self.r.choice(WORDS)

    @staticmethod
    def parts(type):
        if isinstance(type, str):
            type = {"key": type}
        key, value = type["key"], type.get("value")
        key = {"type": key} if isinstance(key, str) else key
        value = {"type": value} if isinstance(value, str) else value
        return key, value, type.get("min", 1), type.get("max", 1)

    def base_atom(self, base):
        if "enum" in base and self.chance(.85):
            return self.r.choice(base["enum"][1])
        return self.atom(base["type"], base.get("refTable"))

    def value(self, type):
        key, value, low, high = self.parts(type)
        n = 1 if (low, high) == (1, 1) else self.r.randrange(low, 5 if high == "unlimited" else high + 1)
        if self.chance(.02):
            n += self.r.choice([-1, 1, 2])
        n = max(n, 0)
        keys = []
        for _ in range(n):
            atom = self.base_atom(key)
            if atom not in keys or self.chance(.03):
                keys.append(atom)
        if value:
            return ["map", [[k, self.base_atom(value)] for k in keys]]
        if len(keys) == 1 and self.chance(.8):
            return keys[0]
        return ["set", keys]

    def table(self):
        return "nowhere" if self.chance(.005) else self.r.choices(["root", "leaf", "few"], [6, 4, 1])[0]

    def columns_of(self, table):
        return SCHEMA["tables"].get(table, {"columns": {"name": {"type": "string"}}})["columns"]

    def column(self, table):
        if self.chance(.01):
            return "nothing"
        if self.chance(.04):
            return self.r.choice(["_uuid", "_version"])
        return self.r.choice(list(self.columns_of(table)))

    def type_of(self, table, column):
        c = self.columns_of(table).get(column)
        return c["type"] if c else "uuid" if column.startswith("_") else "string"

    def row(self, table, for_update=False):
        columns = list(self.columns_of(table))
        n = self.r.randrange(0, min(len(columns), 5) + 1)
        chosen = [c for c in self.r.sample(columns, n) if for_update or c not in ("must", "level")]
        if for_update and "fixed" in chosen and self.chance(.9):
            chosen.remove("fixed")
        if "name" in columns and not for_update and "name" not in chosen and self.chance(.9):
            chosen.append("name")
        if table == "few" and not for_update and self.chance(.9):
            chosen += ["must", "level"]
        if table == "root" and not for_update and "number" not in chosen:
            chosen.append("number")   # An index, of which the default is soon taken.
        if self.chance(.01):
            chosen.append("nothing")
        if "must" in chosen and self.chance(.1):
            chosen = [c for c in chosen if c != "level"]
        row = {c: self.value(self.type_of(table, c)) for c in chosen}
        if "name" in row and self.chance(.7):
            row["name"] = f"row {self.r.randrange(10000)}"
        return row

    def condition(self, table):
        if self.chance(.03):
            return self.chance(.5)
        column = self.column(table)
        type = self.type_of(table, column)
        if column == "_uuid" or self.chance(.3):
            return ["_uuid", self.r.choice(["==", "==", "==", "!=", "includes", "excludes"]),
                    self.uuid(table)]
        function = self.r.choice(FUNCTIONS if self.chance(.9) else ["=", "in"])
        if function in ("<", "<=", ">=", ">"):
            return [column, function, self.base_atom(self.parts(type)[0])]
        return [column, function, self.value(type)]

    def where(self, table):
        if self.tables and self.chance(.4):
            return [["_uuid", "==", self.uuid(table)]]
        return [self.condition(table) for _ in range(self.r.choices([0, 1, 2], [1, 6, 2])[0])]

    def mutation(self, table):
        numeric = [c for c in self.columns_of(table)
                   if self.parts(self.type_of(table, c))[0]["type"] in ("integer", "real")]
        mutator = self.r.choice(MUTATORS if self.chance(.98) else ["^="])
        if mutator in ("insert", "delete"):
            column = self.column(table)
            type = self.type_of(table, column)
            key, value, _, _ = self.parts(type)
            if mutator == "delete" and value and self.chance(.5):
                return [column, mutator, ["set", [self.base_atom(key) for _ in range(self.r.randrange(3))]]]
            return [column, mutator, self.value(type)]
        column = self.r.choice(numeric) if numeric and self.chance(.9) else self.column(table)
        if mutator in ("*=", "/=", "%="):
            # Open vSwitch 3.1 dies of "*=" 0 and of the smallest integer over -1, and misses overflows of
            # negative factors.
            return [column, mutator, self.r.choice([1, 2, 3, 5, 100, 0.5, 1.5, "x"] +
                                                   ([0] if mutator != "*=" else []))]
        return [column, mutator, self.atom(self.r.choice(["integer", "integer", "real"]))]

    def operation(self):
        table = self.table()
        kind = self.r.choices(["insert", "update", "mutate", "delete", "select", "wait", "comment", "commit",
                               "abort", "assert", "nonsense"],
                              [10, 8, 8, 3, 6, 2, .5, .5, .1, .1, .1])[0]
        if kind == "insert":
            op = {"op": kind, "table": table, "row": self.row(table)}
            if self.symbols and self.chance(.7):
                op["uuid-name"] = self.r.choice(self.symbols) + table
        elif kind == "update":
            op = {"op": kind, "table": table, "where": self.where(table), "row": self.row(table, True)}
        elif kind == "mutate":
            op = {"op": kind, "table": table, "where": self.where(table),
                  "mutations": [self.mutation(table) for _ in range(self.r.randrange(1, 3))]}
        elif kind == "delete":
            op = {"op": kind, "table": table, "where": self.where(table) or [self.condition(table)]}
        elif kind == "select":
            op = {"op": kind, "table": table, "where": self.where(table)}
            if self.chance(.5):
                op["columns"] = list({self.column(table) for _ in range(self.r.randrange(1, 4))} - {"_version"})
        elif kind == "wait":
            columns = self.r.sample(list(self.columns_of(table)), 1)
            rows = [{c: self.value(self.type_of(table, c)) for c in columns} for _ in range(self.r.randrange(2))]
            op = {"op": kind, "table": table, "where": self.where(table), "columns": columns,
                  "until": self.r.choice(["==", "!="]), "rows": rows, "timeout": 0}
        elif kind == "comment":
            op = {"op": kind, "comment": self.r.choice(WORDS)}
        elif kind == "commit":
            op = {"op": kind, "durable": self.chance(.1)}
        elif kind == "assert":
            op = {"op": kind, "lock": "lock"}
        else:
            op = {"op": kind}
        if self.chance(.01):
            op[self.r.choice(["extra", "where", "row", "table"])] = self.r.choice([1, "x", [], {}])
        if self.chance(.005):
            op.pop(self.r.choice([m for m in op if m != "timeout"]))   # Else it would wait for ever.
        return op

    def transaction(self):
        n = self.r.choices([0, 1, 2, 3, 5, 8], [.2, 6, 4, 3, 2, 1])[0]
        self.symbols = [f"s{i}" for i in range(self.r.randrange(4))] if n > 1 else []
        return [self.operation() for _ in range(n)]
