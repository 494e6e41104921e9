import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseAnsibleIni, type ParsedInventory } from "../../src/targets/ansible-ini.js";
import { parseAnsibleJson } from "../../src/targets/ansible-json.js";
import { inventoryTargets } from "../../src/targets/inventory.js";
import { targetKey } from "../../src/targets/parse-target.js";

const INI = `# fleet
login ansible_connection=local
bastion:2222 ansible_user="ops"

[gpu]
dgx-[01:03] allsmi_rack=r12 ansible_password=secret
[gpu:vars]
ansible_user=admin
ansible_port=22
allsmi_row=7
[old]
v100-[a:b].lan ansible_host=10.0.0.9 ; no comment in Ansible either
[v6]
six ansible_host=fe80::1
[compute:children]
gpu
old
[compute:vars]
ansible_user=nobody
`.replace(" ; no comment in Ansible either", " # spare");

function found({ inventory, problems }: ParsedInventory): ReturnType<typeof inventoryTargets> {
  assert.deepEqual(problems, []);
  return inventoryTargets(inventory, "inv");
}

describe("an INI inventory", () => {
  const { targets, problems, warnings } = found(parseAnsibleIni(INI, "inv"));
  test("has hosts with address, user and port, a child group's before its parent's", () => {
    assert.deepEqual(problems, []);
    assert.deepEqual(targets.map(targetKey), [
      ...["ops@bastion:2222", "admin@dgx-01:22", "admin@dgx-02:22", "admin@dgx-03:22"],
      ...["nobody@10.0.0.9", "nobody@10.0.0.9", "[fe80::1]"],
    ]);
  });
  test("gives labels: the name, all groups, and variables allsmi_*; no secret", () => {
    assert.deepEqual(targets[1]?.labels, {
      inventory_hostname: "dgx-01",
      groups: "compute,gpu",
      rack: "r12",
      row: "7",
    });
  });
  test("leaves out, with a warning, what Ansible does not reach by SSH", () => {
    assert.deepEqual(warnings, [
      "inv: login is not reached by SSH (ansible_connection local); it is not watched",
    ]);
  });
  test("reports wrong lines with their place", () => {
    const text = 'a[1:x]\n[g:what]\nb oops\n[g:vars]\nc\n[g]\nd k="open\ne[1:200000]\n';
    const { problems: wrong } = parseAnsibleIni(text, "inv");
    assert.deepEqual(
      wrong.map((line) => line.split(": ")[0]),
      ["inv:1", "inv:2", "inv:3", "inv:5", "inv:7", "inv:8"],
    );
  });
  test("reports a template, which only Ansible fills in", () => {
    const { problems: wrong } = found(parseAnsibleIni("a ansible_host={{ip}}\n", "inv"));
    assert.match(wrong[0] ?? "", /^inv: a: ansible_host is a template/);
  });
});

describe("a JSON inventory", () => {
  const json = (value: unknown): ParsedInventory => parseAnsibleJson(JSON.stringify(value), "inv");
  test("has the same hosts", () => {
    const { targets } = found(
      json({
        _meta: {
          hostvars: { "dgx-01": { ansible_host: "10.0.0.1", ansible_port: 2222, allsmi_rack: "r1" } },
        },
        all: { children: ["gpu"], vars: { ansible_user: "root" } },
        gpu: { hosts: ["dgx-01"], vars: { ansible_user: "admin" } },
        flat: ["dgx-02"],
      }),
    );
    assert.deepEqual(targets.map(targetKey), ["admin@10.0.0.1:2222", "root@dgx-02"]);
    assert.deepEqual(targets[0]?.labels, { inventory_hostname: "dgx-01", groups: "gpu", rack: "r1" });
  });
  test("is refused where its form is another", () => {
    assert.match(parseAnsibleJson("{", "inv").problems[0] ?? "", /^inv: is not JSON/);
    assert.match(json([1]).problems[0] ?? "", /^inv: is no JSON object/);
    assert.match(json({ g: { hosts: "a" } }).problems[0] ?? "", /hosts of the group g is not a list/);
  });
  test("a circle of groups ends", () => {
    const { targets } = found(json({ a: { children: ["b"] }, b: { children: ["a"], hosts: ["h"] } }));
    assert.equal(targets[0]?.labels["groups"], "a,b");
  });
});
