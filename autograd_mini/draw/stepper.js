"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const find = id => document.getElementById(id);
const svg = document.querySelector("figure > svg");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const PACE = 1400;

// The groups of the picture, and the texts that change: a number on a card, a contribution on an edge.
const part = name => find(svg.id + "-" + name);
const edges = new Map();
for (const step of data.sweep.steps)
  for (const send of step.sends) edges.set(send.edge, part("e" + send.edge));
const cards = data.cards.map(card => {
  const group = part("n" + card.number);
  const figure = group.querySelector(".figure"), terms = group.querySelector(".terms");
  const box = group.querySelector(".glow").getBBox(), row = ledger(card);
  for (const [event, on] of [["mouseenter", true], ["mouseleave", false]])
    row.addEventListener(event, () => group.classList.toggle("pointed", on));
  return {...card, group, row, figure, terms, final: figure.textContent, room: box.x + box.width - 3};
});

const added = (card, parts) => parts.join(card.plus).replaceAll("+ −", "− ");

// Writes into a text of the picture, more narrowly where there is little room.
function write(text, content, end) {
  text.removeAttribute("textLength");
  text.textContent = content;
  const room = end - text.getAttribute("x");
  if (text.getComputedTextLength() <= room) return;
  text.setAttribute("textLength", room);
  text.setAttribute("lengthAdjust", "spacingAndGlyphs");
}

function ledger(card) {
  const row = find("sums").insertRow();
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = card.name;
  row.append(head);
  for (const kind of ["parts", "sum", "sent only-naive", "right only-naive"]) row.insertCell().className = kind;
  return row;
}

// What has been sent and has arrived after `count` steps of a walk.
function replay(steps, count) {
  const got = data.cards.map(() => ({parts: [], sum: "", sent: null, early: false}));
  const flows = new Map();
  got[0].sum = cards[0].right;
  got[0].parts = [cards[0].right];
  steps.slice(0, count).forEach((step, i) => {
    const from = got[step.card];
    from.sent = step.gradient;
    from.early = from.parts.length < cards[step.card].expects;
    for (const send of step.sends) {
      const to = got[send.to];
      to.parts.push(send.amount);
      to.sum = send.total;
      flows.set(send.edge, {amount: send.amount, late: to.sent !== null, now: i === count - 1});
    }
  });
  return {got, flows};
}

let at = 0, timer = null;

function show(next) {
  const naive = find("naive").checked, {steps, said} = naive ? data.naive : data.sweep;
  const moved = next !== at;
  at = Math.max(0, Math.min(steps.length, next));
  const step = at ? steps[at - 1] : null, {got, flows} = replay(steps, at);
  document.body.classList.toggle("naive", naive);
  cards.forEach((card, i) => {
    const {parts, sum, sent, early} = got[i], full = parts.length >= card.expects;
    const wrong = naive && (early || (full && card.number in data.wrong));
    const current = Boolean(step) && step.card === i;
    const set = (name, on) => { card.group.classList.toggle(name, on); card.row.classList.toggle(name, on); };
    set("waiting", !parts.length);
    set("current", current || (!at && i === 0));
    set("bad", wrong);
    const done = full && sum === card.right, sign = card.final.includes("∇") ? "∇ " : "";
    write(card.figure, done ? card.final : sign + sum, card.room);
    if (card.terms) write(card.terms, "Σ " + added(card, parts), card.room);
    const [, partsCell, sumCell, sentCell, rightCell] = card.row.cells;
    partsCell.textContent = added(card, parts);
    if (card.expects > 1 && !full) {
      const missing = document.createElement("small");
      missing.textContent = (parts.length ? " " : "") + `(${parts.length} of ${card.expects})`;
      partsCell.append(missing);
    }
    sumCell.textContent = sum + (wrong && full && card.number in data.wrong ? " ✗" : "");
    sentCell.textContent = sent === null ? "" : early ? sent + " ✗ too early" : sent;
    rightCell.textContent = card.right;
  });
  for (const [number, group] of edges) {
    const flow = flows.get(number), label = group.querySelector("text.grad:not(.fault)");
    group.classList.toggle("waiting", !flow);
    group.classList.toggle("sent", Boolean(flow));
    group.classList.toggle("flowing", Boolean(flow && flow.now));
    group.classList.toggle("late", Boolean(flow && flow.late));
    if (label && flow) label.textContent = "∇ " + flow.amount;
    if (flow && flow.now && moved && !calm.matches)
      for (const motion of group.querySelectorAll("animateMotion")) motion.beginElement();
  }
  find("say").textContent = said[at][0];
  find("line").textContent = cards[step ? step.card : 0].line;
  find("note").textContent = said[at][1];
  find("note").classList.toggle("bad", said[at][2]);
  find("slider").value = at;
  find("slider").setAttribute("aria-valuetext", `${at} of ${steps.length}`);
  find("first").disabled = find("back").disabled = at === 0;
  find("last").disabled = find("on").disabled = at === steps.length;
  if (step && moved) reveal(cards[step.card].group);
  if (at === steps.length) pause();
}

// Scrolls to what is out of sight, or behind the bar.
function reveal(group) {
  const {top, bottom} = group.getBoundingClientRect();
  if (top < document.querySelector(".bar").getBoundingClientRect().bottom || bottom > innerHeight)
    group.scrollIntoView({block: "center", inline: "nearest"});
}

function pause() {
  clearInterval(timer);
  timer = null;
  find("play").textContent = "Play";
}

function play() {
  if (timer !== null) return pause();
  if (at === data.sweep.steps.length) show(0);
  timer = setInterval(() => show(at + 1), PACE);
  find("play").textContent = "Pause";
}

const go = to => { pause(); show(to); };
const actions = {
  first: () => go(0), back: () => go(at - 1), on: () => go(at + 1), last: () => go(data.sweep.steps.length), play,
  naive: () => { find("naive").checked = !find("naive").checked; show(at); },
};
for (const id of ["first", "back", "on", "last", "play"]) find(id).addEventListener("click", actions[id]);
find("slider").addEventListener("input", event => go(Number(event.target.value)));
find("naive").addEventListener("change", () => show(at));
const keys = {ArrowLeft: "back", ArrowRight: "on", Home: "first", End: "last", " ": "play", n: "naive"};
document.addEventListener("keydown", event => {
  const action = keys[event.key], {type, tagName} = event.target;
  if (!action || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === " " && (tagName === "BUTTON" || type === "checkbox")) return; // they answer to it themselves
  event.preventDefault();
  actions[action]();
});
show(0);
})();
