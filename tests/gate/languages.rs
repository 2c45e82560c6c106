//! The same small shop in every language that the gate can parse: a cart without items, the test
//! that was missing, and lines that a hostile answer would put in.

use crate::world::Shop;
use autofix::model::Language;
use autofix::patch::gate::Gate::{Hosts, Powers, Secrets};

pub const ALL: &[&Shop] = &[
    &PYTHON,
    &JAVASCRIPT,
    &TYPESCRIPT,
    &TSX,
    &GO,
    &JAVA,
    &RUST,
    &RUBY,
    &PHP,
];

pub const PYTHON: Shop = Shop {
    name: "python",
    language: Language::Python,
    files: &[
        (
            "shop/cart.py",
            r#"import json

from shop.money import Money


class Cart:
    def __init__(self, items):
        self.items = items

    def total(self):
        first = self.items[0]
        currency = first["currency"]
        amount = sum(item["price"] for item in self.items)
        return Money(amount, currency)


def checkout(cart):
    total = cart.total()
    return json.dumps({"total": str(total)})
"#,
        ),
        (
            "shop/money.py",
            "import yaml\n\n\nclass Money:\n    def __init__(self, amount, currency):\n        self.amount = amount\n",
        ),
        (
            "tests/test_money.py",
            "from shop.money import Money\n\n\ndef test_money():\n    assert Money(1, \"EUR\").amount == 1\n",
        ),
        ("requirements.txt", "PyYAML==6.0\nattrs>=23\n"),
    ],
    file: "shop/cart.py",
    frames: &[
        ("/app/shop/cart.py", 11, "total"),
        ("/app/shop/cart.py", 18, "checkout"),
    ],
    cited: (11, "first = self.items[0]"),
    call: (18, "checkout", "total"),
    search: "        first = self.items[0]\n",
    replace: "        if not self.items:\n            return Money(0, None)\n        @@\n        first = self.items[0]\n",
    test: (
        "tests/test_cart.py",
        "from shop.cart import Cart\n\n\ndef test_an_empty_cart_costs_nothing():\n    @@\n    assert Cart([]).total().amount == 0\n",
    ),
    import: ("import json", "import @@"),
    known: &["yaml", "attrs", "decimal", "shop.money as money"],
    unknown: &["evilpkg", "requestz", "left_pad.sub"],
    bad: &[
        (Powers, "eval(self.items[0])"),
        (Powers, "exec(self.items[0])"),
        (Powers, "run = eval\nrun(self.items[0])"),
        (Powers, "__import__(\"os\").system(self.items[0])"),
        (Powers, "getattr(self, self.items[0])()"),
        (Powers, "globals()[\"ev\" + \"al\"](self.items[0])"),
        (Powers, "import subprocess"),
        (Powers, "from os import path, popen"),
        (Powers, "import socket"),
        (Powers, "import pickle"),
        (Powers, "from urllib.request import urlopen"),
        (Powers, "().__class__.__bases__[0].__subclasses__()"),
    ],
    bad_in_test: &[
        "import os\n    os.environ[\"A\"] = \"1\"",
        "import shutil\n    shutil.rmtree(\"x\")",
        "open(\"x\", \"w\")",
        "path = \"/etc/passwd\"",
    ],
    broken: &["if (", "return ]", "def f(:"],
    literal: "note = \"@@\"",
};

pub const JAVASCRIPT: Shop = Shop {
    name: "javascript",
    language: Language::Javascript,
    files: &[
        (
            "lib/cart.js",
            r#"const path = require('path');
const { money } = require('./money');

class Cart {
  constructor(items) {
    this.items = items;
  }

  total() {
    const first = this.items[0];
    const currency = first.currency;
    return money(this.items.reduce((sum, item) => sum + item.price, 0), currency);
  }
}

function checkout(cart) {
  const total = cart.total();
  return path.join('total', String(total));
}

module.exports = { Cart, checkout };
"#,
        ),
        (
            "lib/money.js",
            "const _ = require('lodash');\n\nfunction money(amount, currency) {\n  return _.pick({ amount, currency }, ['amount']);\n}\n\nmodule.exports = { money };\n",
        ),
        (
            "test/money.test.js",
            "const { money } = require('../lib/money');\n\ntest('money', () => {\n  expect(money(1, 'EUR').amount).toBe(1);\n});\n",
        ),
        (
            "package.json",
            "{\"name\": \"shop\", \"dependencies\": {\"lodash\": \"4\", \"@acme/units\": \"1\"}}\n",
        ),
    ],
    file: "lib/cart.js",
    frames: &[
        ("/app/lib/cart.js", 10, "Cart.total"),
        ("/app/lib/cart.js", 17, "checkout"),
    ],
    cited: (10, "const first = this.items[0];"),
    call: (17, "checkout", "total"),
    search: "    const first = this.items[0];\n",
    replace: "    if (this.items.length === 0) {\n      return money(0, null);\n    }\n    @@\n    const first = this.items[0];\n",
    test: (
        "test/cart.test.js",
        "const { Cart } = require('../lib/cart');\n\ntest('an empty cart costs nothing', () => {\n  @@\n  expect(new Cart([]).total().amount).toBe(0);\n});\n",
    ),
    import: (
        "const path = require('path');",
        "const more = require('@@');",
    ),
    known: &["lodash", "@acme/units/metric", "util", "./money.js"],
    unknown: &["evilpkg", "lodahs", "@evil/units"],
    bad: &[
        (Powers, "eval(this.items[0]);"),
        (Powers, "new Function(this.items[0])();"),
        (Powers, "globalThis['ev' + 'al'](this.items[0]);"),
        (Powers, "[].constructor.constructor(this.items[0])();"),
        (Powers, "require('child_process').execSync(this.items[0]);"),
        (Powers, "require('node:child_process');"),
        (Powers, "fetch(this.items[0]);"),
        (Powers, "require('https').get(this.items[0]);"),
        (Powers, "new WebSocket(this.items[0]);"),
        (Powers, "process.binding('spawn_sync');"),
    ],
    bad_in_test: &[
        "process.env.A = '1';",
        "require('fs').rmSync('x');",
        "const place = '/etc/passwd';",
        "process.exit(0);",
    ],
    broken: &["if (", "const = 1;", "}}}"],
    literal: "const note = '@@';",
};

pub const TYPESCRIPT: Shop = Shop {
    name: "typescript",
    language: Language::Javascript,
    files: &[
        (
            "src/cart.ts",
            r#"import { basename } from 'path';
import { money, Money } from './money';

interface Item { price: number; currency: string }

export class Cart {
  constructor(private items: Item[]) {}

  total(): Money {
    const first = this.items[0];
    const currency: string = first.currency;
    return money(this.items.reduce((sum, item) => sum + item.price, 0), currency);
  }
}

export function checkout(cart: Cart): string {
  const total = cart.total();
  return basename(String(total.amount));
}
"#,
        ),
        (
            "src/money.ts",
            "import * as zod from 'zod';\n\nexport interface Money { amount: number }\n\nexport function money(amount: number, currency: string | null): Money {\n  return zod.any().parse({ amount, currency });\n}\n",
        ),
        (
            "src/money.spec.ts",
            "import { money } from './money';\n\nit('counts', () => {\n  expect(money(1, 'EUR').amount).toBe(1);\n});\n",
        ),
        (
            "package.json",
            "{\"name\": \"shop\", \"devDependencies\": {\"typescript\": \"5\"}}\n",
        ),
    ],
    file: "src/cart.ts",
    frames: &[
        ("/app/src/cart.ts", 10, "Cart.total"),
        ("/app/src/cart.ts", 17, "checkout"),
    ],
    cited: (10, "const first = this.items[0];"),
    call: (17, "checkout", "total"),
    search: "    const first = this.items[0];\n",
    replace: "    if (this.items.length === 0) {\n      return money(0, null);\n    }\n    @@\n    const first = this.items[0];\n",
    test: (
        "src/cart.spec.ts",
        "import { Cart } from './cart';\n\nit('is free without items', () => {\n  @@\n  expect(new Cart([]).total().amount).toBe(0);\n});\n",
    ),
    import: (
        "import { basename } from 'path';",
        "import * as more from '@@';",
    ),
    known: &["zod", "typescript", "node:util", "../src/money"],
    unknown: &["evilpkg", "zodd", "@evil/zod"],
    bad: &[
        (Powers, "eval(String(first0));"),
        (Powers, "new Function('return 1')();"),
        (Powers, "(globalThis as any)['eval']; globalThis['eval'];"),
        (Powers, "import('child_process');"),
        (Powers, "fetch(String(this.items));"),
        (Powers, "new XMLHttpRequest();"),
        (Powers, "new EventSource(String(this.items));"),
    ],
    bad_in_test: &[
        "process.env.A = '1';",
        "const place = '~/.ssh/id';",
        "process.chdir('x');",
    ],
    broken: &["if (", "const x: = 1;", "interface {"],
    literal: "const note: string = '@@';",
};

pub const TSX: Shop = Shop {
    name: "tsx",
    language: Language::Javascript,
    files: &[
        (
            "src/Cart.tsx",
            r#"import * as React from 'react';
import { money } from './money';

type Item = { price: number; currency: string };

export function total(items: Item[]): number {
  const first = items[0];
  return money(first.currency, items.length);
}

export function Checkout({ items }: { items: Item[] }) {
  const sum = total(items);
  return <p className="sum">{sum}</p>;
}
"#,
        ),
        (
            "src/money.ts",
            "export function money(currency: string | null, amount: number): number {\n  return amount;\n}\n",
        ),
        (
            "src/money.test.ts",
            "import { money } from './money';\n\ntest('counts', () => {\n  expect(money('EUR', 1)).toBe(1);\n});\n",
        ),
        (
            "package.json",
            "{\"name\": \"shop\", \"dependencies\": {\"react\": \"18\"}}\n",
        ),
    ],
    file: "src/Cart.tsx",
    frames: &[
        ("/app/src/Cart.tsx", 7, "total"),
        ("/app/src/Cart.tsx", 12, "Checkout"),
    ],
    cited: (7, "const first = items[0];"),
    call: (12, "Checkout", "total"),
    search: "  const first = items[0];\n",
    replace: "  if (items.length === 0) {\n    return 0;\n  }\n  @@\n  const first = items[0];\n",
    test: (
        "src/Cart.test.tsx",
        "import { total } from './Cart';\n\ntest('is free without items', () => {\n  @@\n  expect(total([])).toBe(0);\n});\n",
    ),
    import: (
        "import * as React from 'react';",
        "import * as more from '@@';",
    ),
    known: &["react", "url"],
    unknown: &["evilpkg", "reakt"],
    bad: &[
        (Powers, "eval(String(items));"),
        (Powers, "document.write(String(items));"),
        (Powers, "navigator.sendBeacon(String(items));"),
        (
            Powers,
            "const x = <div dangerouslySetInnerHTML={{ __html: String(items) }} />;",
        ),
    ],
    bad_in_test: &["process.env.A = '1';", "localStorage.clear();"],
    broken: &["const y = <b>;", "if ("],
    literal: "const note = '@@';",
};

pub const GO: Shop = Shop {
    name: "go",
    language: Language::Go,
    files: &[
        (
            "cart/cart.go",
            r#"package cart

import (
	"fmt"
	"net/http"

	"acme.example/shop/money"
)

type Cart struct {
	Items []money.Item
}

func (c *Cart) Total() int {
	first := c.Items[0]
	sum := 0
	for _, item := range c.Items {
		sum += item.Price
	}
	return sum + first.Fee
}

func Checkout(c *Cart) string {
	total := c.Total()
	return fmt.Sprint(total, http.StatusOK)
}
"#,
        ),
        (
            "money/money.go",
            "package money\n\nimport \"lib.example/decimal\"\n\ntype Item struct{ Price, Fee int }\n\nvar Zero = decimal.Zero\n",
        ),
        (
            "money/money_test.go",
            "package money\n\nimport \"testing\"\n\nfunc TestZero(t *testing.T) {\n\tif Zero != Zero {\n\t\tt.Fatal()\n\t}\n}\n",
        ),
        (
            "go.mod",
            "module acme.example/shop\n\ngo 1.22\n\nrequire (\n\tlib.example/decimal v1.0.0\n\tlib.example/units v1.0.0\n)\n",
        ),
    ],
    file: "cart/cart.go",
    frames: &[
        (
            "/app/cart/cart.go",
            15,
            "acme.example/shop/cart.(*Cart).Total",
        ),
        ("/app/cart/cart.go", 24, "acme.example/shop/cart.Checkout"),
    ],
    cited: (15, "first := c.Items[0]"),
    call: (24, "Checkout", "Total"),
    search: "\tfirst := c.Items[0]\n",
    replace: "\tif len(c.Items) == 0 {\n\t\treturn 0\n\t}\n\t@@\n\tfirst := c.Items[0]\n",
    test: (
        "cart/cart_test.go",
        "package cart\n\nimport \"testing\"\n\nfunc TestEmpty(t *testing.T) {\n\t@@\n\tif (&Cart{}).Total() != 0 {\n\t\tt.Fatal(\"not free\")\n\t}\n}\n",
    ),
    import: ("\t\"fmt\"", "\t\"@@\""),
    known: &[
        "lib.example/decimal",
        "lib.example/units/metric",
        "strings",
        "acme.example/shop/money/more",
    ],
    unknown: &[
        "evil.example/pkg",
        "lib.example/decimals",
        "acme.example/shopx",
    ],
    bad: &[
        (Powers, "exec.Command(\"ls\").Run()"),
        (Powers, "syscall.Kill(1, 9)"),
        (Powers, "http.Get(\"x\")"),
        (Powers, "http.DefaultClient.Do(nil)"),
        (Powers, "net.Dial(\"tcp\", \"x\")"),
        (Powers, "plugin.Open(\"x\")"),
        (Powers, "_ = unsafe.Pointer(c)"),
        (Powers, "reflect.ValueOf(c).MethodByName(\"x\")"),
    ],
    bad_in_test: &[
        "os.Setenv(\"A\", \"1\")",
        "os.RemoveAll(\"x\")",
        "_ = \"/etc/passwd\"",
        "t.Setenv(\"A\", \"1\")",
    ],
    broken: &["if {", "x := ", "func ("],
    literal: "_ = \"@@\"",
};

pub const JAVA: Shop = Shop {
    name: "java",
    language: Language::Java,
    files: &[
        (
            "src/main/java/com/acme/shop/Cart.java",
            r#"package com.acme.shop;

import java.util.List;

public class Cart {
    private final List<Item> items;

    public Cart(List<Item> items) {
        this.items = items;
    }

    public int total() {
        Item first = items.get(0);
        int sum = 0;
        for (Item item : items) {
            sum += item.price();
        }
        return sum + first.fee();
    }

    public static String checkout(Cart cart) {
        int total = cart.total();
        return String.valueOf(total);
    }
}
"#,
        ),
        (
            "src/main/java/com/acme/shop/Item.java",
            "package com.acme.shop;\n\nimport org.slf4j.Logger;\n\npublic record Item(int price, int fee) {\n}\n",
        ),
        (
            "src/test/java/com/acme/shop/ItemTest.java",
            "package com.acme.shop;\n\nimport org.junit.jupiter.api.Test;\nimport static org.junit.jupiter.api.Assertions.assertEquals;\n\nclass ItemTest {\n    @Test\n    void price() {\n        assertEquals(1, new Item(1, 0).price());\n    }\n}\n",
        ),
        ("pom.xml", "<project/>\n"),
    ],
    file: "src/main/java/com/acme/shop/Cart.java",
    frames: &[
        ("Cart.java", 13, "com.acme.shop.Cart.total"),
        ("Cart.java", 22, "com.acme.shop.Cart.checkout"),
    ],
    cited: (13, "Item first = items.get(0);"),
    call: (22, "checkout", "total"),
    search: "        Item first = items.get(0);\n",
    replace: "        if (items.isEmpty()) {\n            return 0;\n        }\n        @@\n        Item first = items.get(0);\n",
    test: (
        "src/test/java/com/acme/shop/CartTest.java",
        "package com.acme.shop;\n\nimport java.util.List;\nimport org.junit.jupiter.api.Test;\nimport static org.junit.jupiter.api.Assertions.assertEquals;\n\nclass CartTest {\n    @Test\n    void isFreeWithoutItems() {\n        @@\n        assertEquals(0, new Cart(List.of()).total());\n    }\n}\n",
    ),
    import: ("import java.util.List;", "import @@;"),
    known: &[
        "org.slf4j.LoggerFactory",
        "java.util.Optional",
        "com.acme.shop.Item",
    ],
    unknown: &["com.evil.Thing", "org.slf5j.Logger", "io.evil.pkg.Thing"],
    bad: &[
        (Powers, "Runtime.getRuntime();"),
        (Powers, "new ProcessBuilder(\"ls\");"),
        (Powers, "Class.forName(\"x\");"),
        (Powers, "new javax.script.ScriptEngineManager();"),
        (Powers, "new java.net.Socket();"),
        (Powers, "new java.io.ObjectInputStream(null);"),
        (Powers, "getClass().getDeclaredMethod(\"x\");"),
    ],
    bad_in_test: &[
        "System.getenv(\"A\");",
        "System.setProperty(\"a\", \"b\");",
        "String s = \"/etc/passwd\";",
        "System.exit(0);",
    ],
    broken: &["if (", "int = 1;", "}}}"],
    literal: "String note = \"@@\";",
};

pub const RUST: Shop = Shop {
    name: "rust",
    language: Language::Rust,
    files: &[
        (
            "src/cart.rs",
            r#"//! A cart.

use crate::money::Item;

pub struct Cart {
    pub items: Vec<Item>,
}

impl Cart {
    pub fn total(&self) -> u32 {
        let first = &self.items[0];
        let sum: u32 = self.items.iter().map(|item| item.price).sum();
        sum + first.fee
    }
}

pub fn checkout(cart: &Cart) -> String {
    let total = cart.total();
    total.to_string()
}
"#,
        ),
        ("src/lib.rs", "pub mod cart;\npub mod money;\n"),
        (
            "src/money.rs",
            "use serde_json::Value;\n\npub struct Item {\n    pub price: u32,\n    pub fee: u32,\n}\n\npub const NONE: Value = Value::Null;\n",
        ),
        (
            "tests/money.rs",
            "use shop::money::Item;\n\n#[test]\nfn costs() {\n    assert_eq!(Item { price: 1, fee: 0 }.price, 1);\n}\n",
        ),
        (
            "Cargo.toml",
            "[package]\nname = \"shop\"\n\n[dependencies]\nserde_json = \"1\"\nlarge-number = \"1\"\n",
        ),
    ],
    file: "src/cart.rs",
    frames: &[
        ("/app/src/cart.rs", 11, "shop::cart::Cart::total"),
        ("/app/src/cart.rs", 18, "shop::cart::checkout"),
    ],
    cited: (11, "let first = &self.items[0];"),
    call: (18, "checkout", "total"),
    search: "        let first = &self.items[0];\n",
    replace: "        if self.items.is_empty() {\n            return 0;\n        }\n        @@\n        let first = &self.items[0];\n",
    test: (
        "tests/cart.rs",
        "use shop::cart::Cart;\n\n#[test]\nfn is_free_without_items() {\n    @@\n    assert_eq!(Cart { items: Vec::new() }.total(), 0);\n}\n",
    ),
    import: ("use crate::money::Item;", "use @@;"),
    known: &[
        "serde_json::json",
        "large_number::Large",
        "std::collections::HashMap",
        "shop::money::NONE",
    ],
    unknown: &["evilpkg::Thing", "serde_jsom::Value", "{std::fmt, evil::x}"],
    bad: &[
        (Powers, "unsafe { std::hint::unreachable_unchecked() };"),
        (Powers, "std::process::Command::new(\"ls\");"),
        (Powers, "let _ = std::net::TcpStream::connect(\"x\");"),
        (Powers, "let _ = include!(\"x.rs\");"),
        (Powers, "use std::process::{Command as C};"),
        (Powers, "let _: u8 = std::mem::transmute(first0);"),
    ],
    bad_in_test: &[
        "std::env::set_var(\"A\", \"1\");",
        "std::fs::remove_file(\"x\").ok();",
        "let _ = \"/etc/passwd\";",
        "let _ = env!(\"HOME\");",
    ],
    broken: &["if {", "let = 1;", "fn (;"],
    literal: "let _note = \"@@\";",
};

pub const RUBY: Shop = Shop {
    name: "ruby",
    language: Language::Ruby,
    files: &[
        (
            "lib/cart.rb",
            r#"require 'json'
require_relative 'money'

class Cart
  def initialize(items)
    @items = items
  end

  def total
    first = @items[0]
    sum = @items.sum { |item| item[:price] }
    Money.new(sum, first[:currency])
  end
end

def checkout(cart)
  total = cart.total
  JSON.dump(total: total)
end
"#,
        ),
        (
            "lib/money.rb",
            "require 'dry-types'\n\nMoney = Struct.new(:amount, :currency)\n",
        ),
        (
            "spec/money_spec.rb",
            "require 'money'\n\nRSpec.describe Money do\n  it 'counts' do\n    expect(Money.new(1, 'EUR').amount).to eq(1)\n  end\nend\n",
        ),
        ("Gemfile", "gem 'dry-types'\ngem \"oj\"\n"),
    ],
    file: "lib/cart.rb",
    frames: &[
        ("/app/lib/cart.rb", 10, "Cart#total"),
        ("/app/lib/cart.rb", 17, "Object#checkout"),
    ],
    cited: (10, "first = @items[0]"),
    call: (17, "checkout", "total"),
    search: "    first = @items[0]\n",
    replace: "    return Money.new(0, nil) if @items.empty?\n    @@\n    first = @items[0]\n",
    test: (
        "spec/cart_spec.rb",
        "require 'cart'\n\nRSpec.describe Cart do\n  it 'is free without items' do\n    @@\n    expect(Cart.new([]).total.amount).to eq(0)\n  end\nend\n",
    ),
    import: ("require 'json'", "require '@@'"),
    known: &["dry-types", "oj", "set", "money"],
    unknown: &["evilgem", "dry-typez", "ojj"],
    bad: &[
        (Powers, "eval(@items[0])"),
        (Powers, "eval @items[0]"),
        (Powers, "instance_eval(@items[0])"),
        (Powers, "self.send(@items[0])"),
        (Powers, "Object.const_get(@items[0])"),
        (Powers, "x = `ls`"),
        (Powers, "x = %x(ls)"),
        (Powers, "system(@items[0])"),
        (Powers, "system @items[0]"),
        (Powers, "IO.popen(@items[0])"),
        (Powers, "Net::HTTP.get(@items[0])"),
        (Powers, "Marshal.load(@items[0])"),
        (Powers, "note = \"#{`ls`}\""),
    ],
    bad_in_test: &[
        "ENV['A'] = '1'",
        "File.write('x', 'y')",
        "place = '/etc/passwd'",
        "FileUtils.rm_rf('x')",
    ],
    broken: &["if (", "def f(", "end end"],
    literal: "note = '@@'",
};

pub const PHP: Shop = Shop {
    name: "php",
    language: Language::Php,
    files: &[
        (
            "src/Cart.php",
            r#"<?php

namespace Acme\Shop;

use Acme\Shop\Money;

class Cart
{
    public function __construct(private array $items)
    {
    }

    public function total(): Money
    {
        $first = $this->items[0];
        $sum = array_sum(array_column($this->items, 'price'));
        return new Money($sum, $first['currency']);
    }
}

function checkout(Cart $cart): string
{
    $total = $cart->total();
    return (string) $total->amount;
}
"#,
        ),
        (
            "src/Money.php",
            "<?php\n\nnamespace Acme\\Shop;\n\nuse Psr\\Log\\LoggerInterface;\n\nclass Money\n{\n    public function __construct(public int $amount, public ?string $currency)\n    {\n    }\n}\n",
        ),
        (
            "tests/MoneyTest.php",
            "<?php\n\nuse PHPUnit\\Framework\\TestCase;\n\nclass MoneyTest extends TestCase\n{\n    public function testAmount(): void\n    {\n        $this->assertSame(1, (new Acme\\Shop\\Money(1, 'EUR'))->amount);\n    }\n}\n",
        ),
        (
            "composer.json",
            "{\"autoload\": {\"psr-4\": {\"Acme\\\\Shop\\\\\": \"src/\"}}}\n",
        ),
    ],
    file: "src/Cart.php",
    frames: &[
        ("/app/src/Cart.php", 15, "Acme\\Shop\\Cart->total"),
        ("/app/src/Cart.php", 23, "Acme\\Shop\\checkout"),
    ],
    cited: (15, "$first = $this->items[0];"),
    call: (23, "checkout", "total"),
    search: "        $first = $this->items[0];\n",
    replace: "        if ($this->items === []) {\n            return new Money(0, null);\n        }\n        @@\n        $first = $this->items[0];\n",
    test: (
        "tests/CartTest.php",
        "<?php\n\nuse PHPUnit\\Framework\\TestCase;\n\nclass CartTest extends TestCase\n{\n    public function testIsFreeWithoutItems(): void\n    {\n        @@\n        $this->assertSame(0, (new Acme\\Shop\\Cart([]))->total()->amount);\n    }\n}\n",
    ),
    import: ("use Acme\\Shop\\Money;", "use @@;"),
    known: &[
        "Psr\\Log\\NullLogger",
        "InvalidArgumentException",
        "Acme\\Shop\\Other",
    ],
    unknown: &["Evil\\Thing", "Psr\\Logg\\Thing", "Guzzle\\Thing"],
    bad: &[
        (Powers, "eval($this->items[0]);"),
        (Powers, "system('ls');"),
        (Powers, "SHELL_EXEC('ls');"),
        (Powers, "$x = `ls`;"),
        (Powers, "$f = 'passthru'; $f('ls');"),
        (Powers, "call_user_func($this->items[0]);"),
        (Powers, "unserialize($this->items[0]);"),
        (Powers, "curl_init($this->items[0]);"),
        (Powers, "file_get_contents($this->items[0]);"),
        (Powers, "create_function('', '');"),
    ],
    bad_in_test: &[
        "putenv('A=1');",
        "unlink('x');",
        "$place = '/etc/passwd';",
        "$x = $_SERVER['A'];",
    ],
    broken: &["if (", "$ = 1;", "function (;"],
    literal: "$note = '@@';",
};

/// What no literal may bring, whatever the language.
pub const LITERALS: &[(autofix::patch::gate::Gate, &str)] = &[
    (Hosts, "https://collect.evil-host.io/x"),
    (Hosts, "//evil-host.io/x.js"),
    (Hosts, "evil-host.com:443"),
    (Hosts, "169.254.169.254"),
    (Hosts, "ftp://evil-host.io"),
    (Secrets, "AKIAIOSFODNN7ABCDEFG"),
    (Secrets, "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    (Secrets, "-----BEGIN RSA PRIVATE KEY-----"),
    (
        Secrets,
        "QmFzZTY0IGlzIG5vdCByZWFkIGJ5IGFueWJvZHkgMTIzNDU2Nzg5MA==",
    ),
    (Secrets, "mallory@evil-mail.io"),
];
