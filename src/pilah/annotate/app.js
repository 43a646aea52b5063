// The annotator's page. State: the open dump `doc`; every change is sent at once, one request after the other.
"use strict";
const $ = (id) => document.getElementById(id);
const UNDECIDED = "?";
let about = null; // folder, labels with keys and roles, opener, the confidence below which a line is doubtful
let entries = []; // dumps, most doubtful first
let doc = null; // {name, version, rows: [text, label, role, guess, guessed role, confidence], pending, undo, redo}
let opened = 0; // how often a dump was asked for
let anchor = 0, at = 0; // the selection, ends included
const OLD_LIST = "the list of dumps is not up to date: the server cannot be reached";
let drag = null; // where the button went down on a line; null while it is up

class Refused extends Error {}
async function call(path, body) {
  const response = await fetch("api/" + path, body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
  const found = await response.json().catch(() => ({ error: "the server answered " + response.status }));
  if (!response.ok) throw Object.assign(new Refused(found.error), { status: response.status });
  return found;
}
const dumpPath = (name) => "dump/" + name.split("/").map(encodeURIComponent).join("/");

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").className = bad ? "bad" : "";
}

// ---------------------------------------------------------------------------------------------------- list of dumps

async function loadList() {
  const found = await call("dumps");
  about = found;
  entries = found.dumps;
  $("folder").textContent = found.folder.split(/[\\/]/).pop();
  $("folder").title = found.folder;
  drawList();
  if (entries.some((entry) => entry.lines < 0)) setTimeout(reloadList, 1000);
}

async function reloadList() { // until it comes
  try {
    await loadList();
    if ($("status").textContent === OLD_LIST) say("");
  } catch {
    say(OLD_LIST, true);
    setTimeout(reloadList, 1500);
  }
}

function describe(entry) {
  if (entry.error) return entry.error;
  if (entry.lines < 0) return "not looked at yet";
  if (!entry.left) return `${entry.lines} lines, checked`;
  return `${entry.doubtful} doubtful of ${entry.left} unchecked lines`;
}

function drawList() {
  const wanted = $("filter").value.toLowerCase();
  const list = document.createDocumentFragment();
  for (const entry of entries) {
    if (!entry.name.toLowerCase().includes(wanted)) continue;
    const item = document.createElement("li"), button = document.createElement("button");
    const name = document.createElement("b"), note = document.createElement("small");
    button.dataset.name = button.title = name.textContent = entry.name;
    note.textContent = describe(entry);
    button.className = !entry.error && entry.lines >= 0 && !entry.left ? "done" : "";
    if (doc && doc.name === entry.name) button.setAttribute("aria-current", "true");
    button.append(name, note);
    item.append(button);
    list.append(item);
  }
  $("dumps").replaceChildren(list);
  drawProgress();
}

function drawProgress() {
  const looked = entries.filter((entry) => entry.lines >= 0), done = looked.filter((entry) => !entry.left && !entry.error).length;
  const rest = entries.length - looked.length - entries.filter((entry) => entry.error).length;
  $("progress").textContent = `${done} of ${entries.length} dumps checked` + (rest ? `, ${rest} being read` : "");
}

function note(entry) { // in place: a list that jumps under the hand is worse than one a little out of order
  const i = entries.findIndex((other) => other.name === entry.name);
  if (i >= 0) entries[i] = entry;
  const button = [...$("dumps").querySelectorAll("button")].find((other) => other.dataset.name === entry.name);
  if (button) {
    button.className = entry.left ? "" : "done";
    button.lastChild.textContent = describe(entry);
  }
  drawProgress();
}

function nextDump() {
  const next = entries.find((entry) => entry.left && !entry.error && !(doc && entry.name === doc.name)) || entries.find((entry) => entry.lines < 0);
  if (next) location.hash = encodeURIComponent(next.name);
  else say("every dump is checked");
}

// ------------------------------------------------------------------------------------------------------- one dump

const shown = (row) => (row[1] === UNDECIDED ? row[3] : row[1]);
const shownRole = (row) => (row[1] === UNDECIDED ? row[4] : row[2]);
const isDoubtful = (row) => row[1] === UNDECIDED && row[5] < about.doubtful && row[0].trim() !== "";
const labelOf = (name) => about.labels.find((label) => label.name === name);

async function open(name) {
  const turn = ++opened;
  let found;
  try {
    found = await call(dumpPath(name));
  } catch (error) {
    if (turn === opened) say(error.message, true);
    return;
  }
  if (turn !== opened) return; // another dump was asked for meanwhile
  doc = { ...found, pending: new Map(), saving: false, undo: [], redo: [] };
  hideBanner();
  $("name").textContent = doc.name;
  document.title = `${doc.name} – pilah`;
  draw();
  note(doc.entry);
  drawTools();
  for (const button of $("dumps").querySelectorAll("[aria-current]")) button.removeAttribute("aria-current");
  const button = [...$("dumps").querySelectorAll("button")].find((other) => other.dataset.name === name);
  if (button) {
    button.setAttribute("aria-current", "true");
    button.scrollIntoView({ block: "nearest" });
  }
  say("");
  if (doc.differs) banner("The .txt beside this dump has other lines by now. What you see are those of the .tsv.");
  recover();
}

function draw() {
  const model = document.createElement("li");
  model.setAttribute("role", "option");
  for (const part of ["n", "label", "role", "mark", "text"]) {
    const span = document.createElement("span");
    span.className = part;
    model.append(span);
  }
  const list = document.createDocumentFragment();
  doc.items = doc.rows.map((row, i) => {
    const item = model.cloneNode(true);
    item.id = "line" + i;
    item.firstChild.textContent = i + 1;
    item.lastChild.textContent = row[0];
    item.lastChild.dir = "auto";
    list.append(item);
    return item;
  });
  doc.rows.forEach((_, i) => paint(i));
  $("lines").replaceChildren(list);
  const first = doc.rows.findIndex(isDoubtful);
  select(Math.max(0, first), Math.max(0, first));
}

function paint(i) {
  const row = doc.rows[i], item = doc.items[i], [, label, role, mark] = item.children;
  const decided = row[1] !== UNDECIDED, number = about.labels.findIndex((one) => one.name === shown(row)) % 8;
  const from = Math.min(anchor, at), to = Math.max(anchor, at), inside = i >= from && i <= to;
  item.className = `c${number} ${decided ? "checked" : "guess"}${isDoubtful(row) ? " doubt" : ""}${inside ? " sel" : ""}${i === at ? " at" : ""}`;
  item.setAttribute("aria-selected", inside);
  label.textContent = shown(row);
  role.textContent = shownRole(row) === "." ? "" : shownRole(row);
  mark.textContent = decided ? "✓" : row[0].trim() ? Math.min(99, Math.floor(100 * row[5])) + "%" : "";
  mark.title = decided ? "checked" : "how sure the model is";
}

function select(from, to, scroll = true) {
  const [a, b] = [Math.min(anchor, at), Math.max(anchor, at)];
  const last = doc.rows.length - 1, clip = (i) => Math.max(0, Math.min(last, i));
  anchor = clip(from);
  at = clip(to);
  if (last < 0) return;
  const [c, d] = [Math.min(anchor, at), Math.max(anchor, at)];
  for (let i = Math.min(a, c); i <= Math.min(last, Math.max(b, d)); i++) if ((i >= a && i <= b) || (i >= c && i <= d)) paint(i);
  $("lines").setAttribute("aria-activedescendant", "line" + at);
  if (scroll) doc.items[at].scrollIntoView({ block: "nearest" });
  drawTools();
}

const selected = () => {
  const [a, b] = [Math.min(anchor, at), Math.max(anchor, at)];
  return Array.from({ length: b - a + 1 }, (_, k) => a + k);
};

function selectBlock() {
  const label = shown(doc.rows[at]);
  let a = at, b = at;
  while (a > 0 && shown(doc.rows[a - 1]) === label) a--;
  while (b < doc.rows.length - 1 && shown(doc.rows[b + 1]) === label) b++;
  select(a, b, false);
}

function drawTools() {
  $("undo").disabled = !doc || !doc.undo.length;
  $("redo").disabled = !doc || !doc.redo.length;
  if (!doc || !doc.rows.length) return;
  const label = labelOf(shown(doc.rows[at])), buttons = document.createDocumentFragment();
  if ($("roles").dataset.of === label.name) return;
  $("roles").dataset.of = label.name;
  label.roles.forEach((role, k) => {
    if (role !== ".") buttons.append(keyButton(role, k < 9 ? String(k + 1) : "", { role }));
  });
  $("roles").replaceChildren(buttons);
}

function keyButton(text, key, data) {
  const button = document.createElement("button"), kbd = document.createElement("kbd");
  button.textContent = text + " ";
  kbd.textContent = key;
  if (key) button.append(kbd);
  Object.assign(button.dataset, data);
  return button;
}

// ---------------------------------------------------------------------------------------------------- corrections

function change(lines, tagFor) { // tagFor: row, number -> [label, role]
  const rows = [];
  for (const i of lines) {
    const row = doc.rows[i], [label, role] = tagFor(row, i);
    if (row[1] !== label || row[2] !== role) rows.push([i, row[1], row[2], label, role]);
  }
  if (!rows.length) return;
  doc.undo.push(rows);
  doc.redo = [];
  put(rows.map(([i, , , label, role]) => [i, label, role]));
}

function put(rows) {
  for (const [i, label, role] of rows) {
    doc.rows[i][1] = label;
    doc.rows[i][2] = role;
    doc.pending.set(i, [label, role]);
    paint(i);
  }
  keepJournal(doc);
  drawTools();
  flush(doc);
}

function setLabel(name) {
  const roles = labelOf(name).roles;
  change(selected(), (row) => [name, roles.includes(shownRole(row)) ? shownRole(row) : "."]);
}

function setRole(role) {
  change(selected(), (row) => (labelOf(shown(row)).roles.includes(role) ? [shown(row), role] : [row[1], row[2]]));
}

function setHeading() {
  const roleOf = (row) => [about.opener, "subheading"].find((role) => labelOf(shown(row)).roles.includes(role));
  change(selected(), (row) => (roleOf(row) ? [shown(row), roleOf(row)] : [row[1], row[2]]));
}

const confirmLines = (lines) => change(lines, (row) => [shown(row), shownRole(row)]);

function travel(from, to, side) { // undo and redo; side 0: what was before, side 1: what came after
  const rows = from.pop();
  if (!rows) return;
  to.push(rows);
  put(rows.map((row) => (side ? [row[0], row[3], row[4]] : [row[0], row[1], row[2]])));
  select(rows[0][0], rows[rows.length - 1][0]);
}
const undo = () => travel(doc.undo, doc.redo, 0);
const redo = () => travel(doc.redo, doc.undo, 1);

function nextDoubtful(step) {
  const size = doc.rows.length;
  for (let k = 1; k <= size; k++) {
    const i = (((at + step * k) % size) + size) % size;
    if (isDoubtful(doc.rows[i])) return select(i, i);
  }
  say("no doubtful line is left in this dump");
}

function wholeChecked() {
  confirmLines(doc.rows.keys());
}

// --------------------------------------------------------------------------------------------------------- saving

async function flush(of) {
  if (of.saving || of.conflict || !of.pending.size) return;
  of.saving = true;
  const batch = of.pending;
  of.pending = new Map();
  const rows = [...batch].map(([i, [label, role]]) => [i, label, role]);
  try {
    const found = await call(dumpPath(of.name), { version: of.version, rows });
    of.version = found.version;
    note(found.entry);
    keepJournal(of);
    if (of === doc) say("saved");
  } catch (error) {
    of.pending = new Map([...batch, ...of.pending]);
    if (error.status === 409) await conflict(of);
    else if (error instanceof Refused) {
      say("not saved: " + error.message, true);
      setTimeout(() => flush(of), 5000);
    } else {
      say(`not saved: the server cannot be reached; ${of.pending.size} lines wait in this tab`, true);
      setTimeout(() => flush(of), 1500);
    }
    of.saving = false;
    return;
  }
  of.saving = false;
  flush(of);
}

// What is not saved yet is also kept by the browser: it is there when the server comes back or the tab is opened again.
const journalKey = (name) => `pilah ${about.folder} ${name}`;
function keepJournal(of) {
  if (!of.pending.size) return localStorage.removeItem(journalKey(of.name));
  const rows = [...of.pending].map(([i, [label, role]]) => [i, label, role]);
  localStorage.setItem(journalKey(of.name), JSON.stringify({ version: of.version, rows }));
}

function recover() {
  const journal = JSON.parse(localStorage.getItem(journalKey(doc.name)) || "null");
  if (!journal) return;
  const rows = journal.rows.filter(([i, label, role]) => doc.rows[i] && (doc.rows[i][1] !== label || doc.rows[i][2] !== role));
  if (!rows.length) keepJournal(doc);
  else if (journal.version === doc.version) apply(rows);
  else ask(rows);
}

function apply(rows) {
  const wanted = new Map(rows.map(([i, label, role]) => [i, [label, role]]));
  change([...wanted.keys()], (row, i) => wanted.get(i));
}

async function conflict(of) {
  of.conflict = true; // nothing more is sent from the state that is out of date
  const mine = [...of.pending].map(([i, [label, role]]) => [i, label, role]);
  localStorage.setItem(journalKey(of.name), JSON.stringify({ version: of.version, rows: mine }));
  if (location.hash !== "#" + encodeURIComponent(of.name)) location.hash = encodeURIComponent(of.name);
  else await open(of.name); // opening finds the unsaved changes and asks
}

function ask(rows) {
  const many = rows.length === 1 ? "1 line" : `${rows.length} lines`;
  banner(`This dump was changed elsewhere, in another tab perhaps. You see what was saved there; your change of ${many} is not in it.`,
    ["Keep what is there", () => keepJournal(doc)], [`Put my ${many} over it`, () => apply(rows)]);
  say("not saved: changed elsewhere", true);
}

function banner(text, ...choices) {
  $("banner").replaceChildren(text, ...choices.map(([name, action]) => {
    const button = document.createElement("button");
    button.textContent = name;
    button.onclick = () => { hideBanner(); say(""); action(); };
    return button;
  }));
  $("banner").hidden = false;
}
const hideBanner = () => { $("banner").hidden = true; };

addEventListener("beforeunload", (event) => { if (doc && (doc.pending.size || doc.saving)) event.preventDefault(); });

// -------------------------------------------------------------------------------------------------------- training

const FIGURES = { accuracy: "lines right", macro_f1: "macro-F1", block_f1: "blocks exactly right (F1)", exact_dumps: "dumps entirely right" };

function drawTraining(status) {
  const dumps = (n) => (n === 1 ? "1 dump" : `${n} dumps`), scored = Boolean(status.after);
  const text = {
    idle: "Nothing has been trained yet.",
    running: `Learning from ${dumps(status.learned)}, to be measured on ${dumps(status.held)} held out: ${status.message}`,
    failed: `Training failed: ${status.message}`,
    done: `Learned from ${dumps(status.learned)}; the scores are those on ${dumps(status.held)} that you checked and it never saw.`,
    kept: `In use now: ${status.message}. The rest of the dumps is being read again with it.`,
  };
  $("training-text").textContent = text[status.state];
  $("keep").hidden = status.state !== "done";
  $("scores").hidden = !scored;
  if (scored) {
    $("scores").tBodies[0].replaceChildren(...Object.entries(FIGURES).map(([key, name]) => {
      const row = document.createElement("tr"), better = status.after[key] - status.before[key];
      for (const value of [name, status.before[key].toFixed(3), status.after[key].toFixed(3)]) row.insertCell().textContent = value;
      row.lastChild.className = better > 0 ? "up" : better < 0 ? "down" : "";
      return row;
    }));
  }
  if (status.state === "running") setTimeout(() => training("train"), 1000);
}

async function training(path, body) {
  try {
    drawTraining(await call(path, body));
  } catch (error) {
    $("training-text").textContent = error instanceof Refused ? error.message : "the server cannot be reached";
  }
}

$("teach").onclick = async () => {
  $("training").showModal();
  await training("train", {});
};
$("keep").onclick = async () => {
  await training("train/keep", {});
  await reloadList();
  if (doc) await open(doc.name);
};

// ------------------------------------------------------------------------------------------------ hands on the page

const lineAt = (target) => {
  const item = target.closest && target.closest("#lines li");
  return item ? Number(item.id.slice(4)) : -1;
};
$("lines").addEventListener("pointerdown", (event) => {
  const i = lineAt(event.target);
  if (i < 0 || event.button) return;
  select(event.shiftKey ? anchor : i, i, false);
  drag = event.pointerType === "mouse" ? event.clientY : null; // a finger that moves scrolls
});
$("lines").addEventListener("pointerover", (event) => {
  const i = lineAt(event.target);
  if (drag === null || i < 0 || Math.abs(event.clientY - drag) < 4) return; // lines may move under a hand that rests
  drag = -1e9;
  select(anchor, i);
});
addEventListener("pointerup", () => { drag = null; });
$("lines").addEventListener("dblclick", selectBlock);
$("dumps").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) location.hash = encodeURIComponent(button.dataset.name);
});
$("filter").addEventListener("input", drawList);
$("labels").addEventListener("click", (event) => { const b = event.target.closest("button"); if (b && doc) setLabel(b.dataset.label); });
$("roles").addEventListener("click", (event) => { const b = event.target.closest("button"); if (b && doc) setRole(b.dataset.role); });
const ACTIONS = {
  undo: () => undo(), redo: () => redo(), doubtful: () => nextDoubtful(1), confirm: () => confirmLines(selected()),
  whole: () => wholeChecked(), next: () => nextDump(),
};
for (const [id, action] of Object.entries(ACTIONS)) $(id).onclick = () => { if (doc || id === "next") action(); };
$("help").onclick = () => $("keys").showModal();
$("training").addEventListener("close", () => $("lines").focus());

const PAGE = 20;
const KEYS = {
  ArrowDown: (e) => select(e.shiftKey ? anchor : at + 1, at + 1), ArrowUp: (e) => select(e.shiftKey ? anchor : at - 1, at - 1),
  PageDown: (e) => select(e.shiftKey ? anchor : at + PAGE, at + PAGE), PageUp: (e) => select(e.shiftKey ? anchor : at - PAGE, at - PAGE),
  Home: (e) => select(e.shiftKey ? anchor : 0, 0), End: (e) => select(e.shiftKey ? anchor : Infinity, Infinity),
  Enter: () => confirmLines(selected()), Backspace: () => change(selected(), () => [UNDECIDED, "."]),
  Delete: () => change(selected(), () => [UNDECIDED, "."]),
  n: () => nextDoubtful(1), N: () => nextDoubtful(-1), a: () => selectBlock(), h: () => setHeading(),
  u: () => undo(), U: () => redo(), c: () => wholeChecked(), g: () => nextDump(), "?": () => $("keys").showModal(),
};
addEventListener("keydown", (event) => {
  if (!doc || !doc.rows.length || event.target.closest("input, dialog") || event.altKey) return;
  if (event.target.closest("button") && (event.key === "Enter" || event.key === " ")) return;
  let action = KEYS[event.key];
  if (event.ctrlKey || event.metaKey) action = { z: undo, Z: redo, y: redo }[event.key];
  else if (!action) {
    const label = about.labels.find((one) => one.key === event.key);
    const role = /^[1-9]$/.test(event.key) && labelOf(shown(doc.rows[at])).roles[Number(event.key) - 1];
    action = label ? () => setLabel(label.name) : role ? () => setRole(role) : null;
  }
  if (!action) return;
  event.preventDefault();
  action(event);
});

function drawKeys() {
  about.labels.forEach((label, k) => {
    const button = keyButton(label.name, label.key, { label: label.name });
    button.className = "c" + (k % 8);
    $("labels").append(button);
  });
  const keys = [
    [about.labels.map((label) => label.key).join(" "), "label of the selected lines: " + about.labels.map((label) => label.name).join(", ")],
    ["h", "heading of a block, sub-heading of the article"], ["1 2 3 …", "role inside the label"],
    ["Enter", "right as shown"], ["Delete", "not checked after all"], ["u U", "undo, redo; also Ctrl+Z, Ctrl+Y"],
    ["n N", "next, previous doubtful line"], ["c", "the whole dump is checked"], ["g", "next dump"],
    ["↑ ↓ Page Home End", "move; with Shift select"], ["click, drag, Shift+click", "select lines"], ["a, double click", "select the block"],
  ];
  for (const [key, meaning] of keys) {
    const term = document.createElement("dt"), kbd = document.createElement("kbd"), what = document.createElement("dd");
    kbd.textContent = key;
    what.textContent = meaning;
    term.append(kbd);
    $("keys").querySelector("dl").append(term, what);
  }
}

const wanted = () => decodeURIComponent(location.hash.slice(1));
addEventListener("hashchange", () => { if (wanted()) open(wanted()); });
loadList().then(() => {
  drawKeys();
  if (wanted()) open(wanted());
  else nextDump();
  $("lines").focus();
}).catch((error) => say(error.message, true));
