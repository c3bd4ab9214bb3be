import { expect, test } from "vitest";
import { render } from "../../../engine/leaf/parts/templates.js";
import type { Vars } from "../../../engine/vocabulary/language.js";

const VARS: Vars = {
  port: 80,
  name: "shop",
  on: true,
  off: false,
  nothing: null,
  empty: [],
  app: { name: "shop", tags: ["b", "a", "b"], limits: { cpu: 2 } },
  users: [
    { name: "ann", uid: 1002, admin: true },
    { name: "bob", uid: 1001 },
  ],
};
const FILES: Record<string, string> = {
  "templates/part.j2": "[{{ name }}{{ extra | default('') }}]",
  "templates/macros.j2": "{% macro kv(k, v='none') %}{{ k }}={{ v }}{% endmacro %}{% set version = 3 %}",
  "templates/base.j2": "<{% block head %}base{% endblock %}|{% block body %}{% endblock %}>",
  "templates/broken.j2": "one\ntwo {{ missing }}\n",
  "templates/circle.j2": "{% include 'circle.j2' %}",
  "shared/top.j2": "top",
};
const files = {
  has: (path: string) => Object.hasOwn(FILES, path),
  read: async (path: string) => FILES[path]!,
};
const rendered = (text: string, vars = VARS) => render("templates/app.j2", text, vars, files);

test.each([
  // Output
  ["plain\ntext\n", "plain\ntext\n"],
  ["{{ port }} {{ name }} {{ on }} {{ nothing }}.", "80 shop True ."],
  ["{{ [1, 'a', none, true] }} {{ {'k': 1.5} }}", "[1, 'a', None, True] {'k': 1.5}"],
  ["<{{ '<b>&' }}>", "<<b>&>"],
  ["{{ 'a' 'b' ~ 1 }}{{ \"q\\\"\\n\" }}", 'ab1q"\n'],
  // Members
  [
    "{{ app.limits.cpu }} {{ app['name'] }} {{ app.tags[0] }} {{ app.tags[-1] }} {{ app.tags.1 }}",
    "2 shop b b a",
  ],
  ["{{ app.tags[1:] }} {{ name[::-1] }} {{ name[:2] }}", "['a', 'b'] pohs sh"],
  ["{{ app.limits.items() | first | join('=') }} {{ app.get('x', 'y') }} {{ name.upper() }}", "cpu=2 y SHOP"],
  ["{{ 'a,b'.split(',') | length }} {{ ' x '.strip() }} {{ ','.join(['1', '2']) }}", "2 x 1,2"],
  // Operators
  ["{{ 1 + 2 * 3 ** 2 }} {{ 7 // 2 }} {{ -7 % 3 }} {{ 'ab' * 2 }} {{ [1] + [2] }}", "19 3 2 abab [1, 2]"],
  [
    "{{ 1 < 2 < 3 }} {{ 'a' in app.tags }} {{ 'z' not in app.tags }} {{ not on or off }}",
    "True True True False",
  ],
  ["{{ 'yes' if on else 'no' }}{{ 'x' if off }}", "yes"],
  ["{{ -1 | abs }} {{ 'a' ~ 'b' | upper }}", "1 aB"],
  [
    "{{ missing is defined }} {{ app.x is not defined }} {{ port is divisibleby 8 }} {{ port is in [80] }}",
    "False True True True",
  ],
  ["{{ off and missing }} {{ on or missing }}", "False True"],
  // Default
  [
    "{{ missing | default('d') }} {{ app.a.b | default(1) }} {{ '' | d('e', true) }} {{ x | d(y) | d('z') }}",
    "d 1 e z",
  ],
  // Filters
  ["{{ app.tags | unique | sort | join(', ') }} {{ app.tags | sort(reverse=true) | first }}", "a, b b"],
  ["{{ users | sort(attribute='uid') | map(attribute='name') | join(' ') }}", "bob ann"],
  ["{{ users | selectattr('admin', 'defined') | map(attribute='name') | list }}", "['ann']"],
  ["{{ ['a', 'b'] | map('upper') | join }} {{ [1, 2, 3] | select('odd') | sum }}", "AB 4"],
  [
    "{{ 'a b' | replace(' ', '$&') }} {{ 'aXbX' | replace('X', '', 1) }} {{ 'hello world' | title }}",
    "a$&b abX Hello World",
  ],
  ["{{ 'a\nb\n\nc' | indent(2) }}", "a\n  b\n\n  c"],
  ["{{ '%s:%03d' | format(name, 7) }} {{ 'x' | center(3) }}.", "shop:007  x ."],
  ["{{ app | to_json }}", '{"name": "shop", "tags": ["b", "a", "b"], "limits": {"cpu": 2}}'],
  ["{{ {'b': [1], 'a': {}} | to_nice_json }}", '{\n    "a": {},\n    "b": [\n        1\n    ]\n}'],
  ["{{ app | to_yaml }}", "name: shop\ntags:\n- b\n- a\n- b\nlimits:\n  cpu: 2\n"],
  [
    "{{ ['yes', '1', 'a: b', 'x', '', '# c', none] | to_yaml }}",
    "- 'yes'\n- '1'\n- 'a: b'\n- x\n- ''\n- '# c'\n- null\n",
  ],
  [
    "{{ '42' | int + 1 }} {{ 'x' | int(5) }} {{ 2.5 | round }} {{ 3.14159 | round(2) }} {{ 'yes' | bool }}",
    "43 5 2 3.14 True",
  ],
  ["{{ 'a1b2' | regex_replace('([a-z])(\\\\d)', '\\\\2\\\\1') }} {{ '/a/b.c' | basename }}", "1a2b b.c"],
  ["{{ {'a': {'x': 1}} | combine({'a': {'y': 2}}, recursive=true) | to_json }}", '{"a": {"x": 1, "y": 2}}'],
  [
    "{{ {'a': 1} | dict2items | first | to_json }} {{ 'x y' | quote }} {{ 'hi' | b64encode }}",
    '{"key": "a", "value": 1} \'x y\' aGk=',
  ],
  ["{{ x | ansible.builtin.default('full') }}", "full"],
  // Statements
  ["{% if port == 80 %}a{% elif on %}b{% else %}c{% endif %}{% if empty %}d{% endif %}", "a"],
  [
    "{% for u in users %}{{ loop.index }}/{{ loop.length }}:{{ u.name }}{{ '' if loop.last else ',' }}{% endfor %}",
    "1/2:ann,2/2:bob",
  ],
  ["{% for k, v in app.limits.items() %}{{ k }}{{ v }}{% else %}none{% endfor %}", "cpu2"],
  ["{% for x in empty %}{{ x }}{% else %}none{% endfor %}", "none"],
  ["{% for u in users if u.uid > 1001 %}{{ u.name }}{{ loop.last }}{% endfor %}", "annTrue"],
  [
    "{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "02",
  ],
  [
    "{% for i in [1, [2, [3]]] recursive %}{% if i is iterable %}({{ loop(i) }}){% else %}{{ i }}{% endif %}{% endfor %}",
    "1(2(3))",
  ],
  ["{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}", "1"],
  ["{% set ns = namespace(n=0) %}{% for i in [1, 2] %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "3"],
  ["{% set a, b = 1, 2 %}{{ b }}{{ a }}{% set t | upper %}x{{ a }}{% endset %}{{ t }}", "21X1"],
  [
    "{% with p = 1 %}{{ p }}{% endwith %}{{ p | default('-') }}{% filter upper %}a{{ name }}{% endfilter %}",
    "1-ASHOP",
  ],
  ["{% macro m(a, b='x') %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, b=2) }}", "1x12"],
  [
    "{% macro box() %}[{{ caller('i') }}]{% endmacro %}{% call(x) box() %}{{ x }}{{ name }}{% endcall %}",
    "[ishop]",
  ],
  [
    "{% include 'part.j2' %}{% set extra = '!' %}{% include 'part.j2' %}{% include 'shared/top.j2' %}",
    "[shop][shop!]top",
  ],
  ["{% include 'no.j2' ignore missing %}{% include ['no.j2', 'part.j2'] %}", "[shop]"],
  [
    "{% import 'macros.j2' as m %}{{ m.kv('a', 1) }} {{ m.version }}{% from 'macros.j2' import kv as f %}{{ f('b') }}",
    "a=1 3b=none",
  ],
  ["{% extends 'base.j2' %}ignored{% block head %}{{ super() }}+{{ name }}{% endblock %}", "<base+shop|>"],
  // Whitespace
  ["a\n{% if on %}\nb\n{% endif %}\nc\n", "a\nb\nc\n"],
  ["a\n  {%- if on %} b {% endif -%}\n  c", "a b c"],
  ["{% if on +%}\nb{% endif %}", "\nb"],
  ["a {#- note -#} b{# c #}\nd", "abd"],
  ["{{ name }}\nx", "shop\nx"],
  ["{% raw %}{{ no }}{% endraw %}\n.", "{{ no }}."],
  ["#jinja2: trim_blocks:False\n{% if on %}\nx{% endif %}", "\nx"],
  ["#jinja2: lstrip_blocks: True\n  {% if on %}\nx\n  {% endif %}\n", "x\n"],
])("%j gives %j", async (text, output) => {
  expect(await rendered(text)).toBe(output);
});

test.each([
  ["a\n{{ missing }}", '"missing" is undefined (templates/app.j2, line 2)'],
  ["a\n\n{{ app.limits.ram }}", '"app.limits.ram" is undefined (templates/app.j2, line 3)'],
  ["{{ a.b.c }}", '"a" is undefined (templates/app.j2, line 1)'],
  ["{% if missing %}{% endif %}", '"missing" is undefined (templates/app.j2, line 1)'],
  ["{{ missing | upper }}", '"missing" is undefined (templates/app.j2, line 1)'],
  ["{{ 'x' | replace(missing, '') }}", '"missing" is undefined (templates/app.j2, line 1)'],
  ["{% for x in missing %}{% endfor %}", '"missing" is undefined (templates/app.j2, line 1)'],
  ["x\n{% include 'broken.j2' %}", '"missing" is undefined (templates/broken.j2, line 2)'],
  ["{% include 'no.j2' %}", /^the template "no\.j2" did not come along.*line 1\)$/],
  ["{% include 'circle.j2' %}", /^templates or macros use each other without end \(templates\/circle\.j2/],
  ["{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", /without end/],
  ["a\n{% if on %}\nb", '"if" is not closed by "endif" (templates/app.j2, line 2)'],
  ["{% endif %}", '"endif" closes nothing that is open here (templates/app.j2, line 1)'],
  ["{% dance %}", 'there is no "{% dance %}" (templates/app.j2, line 1)'],
  ["{% constructor %}", 'there is no "{% constructor %}" (templates/app.j2, line 1)'],
  ["a\n{{ 1 +", '"{{" is not closed (templates/app.j2, line 2)'],
  ["{{ 1 + }}", 'expected a value, not "}}" (templates/app.j2, line 1)'],
  ["\n{{ name | nope }}", 'there is no filter "nope" (templates/app.j2, line 2)'],
  ["{{ name is nope }}", 'there is no test "nope" (templates/app.j2, line 1)'],
  ["{{ 1 / 0 }}", "division by zero (templates/app.j2, line 1)"],
  ["{{ 1 + 'a' }}", '"+" does not work on a number and a text (templates/app.j2, line 1)'],
  ["{{ range(99999999) }}", /^range\(\) gives/],
  ["{{ 'x' * 999999999 }}", /too large/],
  ["{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}", /output is larger/],
  ["{% set app.x = 1 %}", /only a namespace\(\) can be changed/],
])("%j is refused", async (text, message) => {
  await expect(rendered(text)).rejects.toThrow(message);
});

test.each([
  "name.constructor",
  "app.constructor",
  "app['__proto__']",
  "app.__proto__",
  "app.tags.constructor",
  "range.constructor",
  "range.call",
  "loop",
  "process",
  "globalThis",
  "app.hasOwnProperty",
  "name.length",
])("nothing of the language below can be reached by %s", async (expression) => {
  expect(await rendered(`{{ ${expression} is defined }}`)).toBe("False");
});

test.each([
  "name.constructor('x')",
  "app.tags.map('x')",
  "app.toString()",
  "''.matchAll('x')",
  "range.bind(1)",
])("no method of the language below can be called by %s", async (expression) => {
  await expect(rendered(`{{ ${expression} }}`)).rejects.toThrow(/is undefined/);
});

test("a key __proto__ that a template makes is data", async () => {
  await rendered(
    "{{ {'__proto__': {'polluted': 1}} | to_json }}{{ app | combine({'__proto__': {'polluted': 1}}) | to_json }}",
  );
  expect({}).not.toHaveProperty("polluted");
});

test("what a variable holds is never a template", async () => {
  expect(await rendered("{{ x }}", { x: "{{ name }}" })).toBe("{{ name }}");
});
