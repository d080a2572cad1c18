// What is typed into a form stays in this browser until it is saved, thrown away, or its user logs out: neither a login
// that ended nor a lost connection nor an error of the server loses it. Without JavaScript the error pages give it back.
//
// A draft holds the fields that differ from what the page showed. It never holds passwords, files or hidden fields, is
// kept for its user alone, and ends after two days. The server says by a cookie which drafts it has saved.

const PREFIX = "athena-draft:";
const SAVED = "athena_saved";
const LIFETIME_MS = 48 * 3600 * 1000;
const user = document.querySelector('meta[name="athena-user"]')?.content;
const own = `${PREFIX}${user}:`;
const NOT_KEPT = new Set(["hidden", "password", "file", "submit", "button", "reset", "image"]);
let submitted = null; // the form that is being sent to its own address, and may be saved by that
let hasLoggedOut = false;

/** The forms of the page whose text is worth keeping. */
function forms() {
  return [...document.querySelectorAll("#content form")].filter(
    (form) => form.method === "post" && form.id !== "changelist-form" && !form.querySelector("input[type=password]") && fields(form).length,
  );
}

function fields(form) {
  return [...form.elements].filter((field) => field.name && !NOT_KEPT.has(field.type) && !field.name.startsWith("_"));
}

/** A form is known by its address, with the query of a page that adds a row, and by the rows that a list's action is about. */
function keyOf(form) {
  const address = new URL(form.getAttribute("action") || "", location.href);
  const selected = [...form.querySelectorAll("input[name=_selected_action]")].map((input) => input.value);
  return own + address.pathname + (address.pathname.endsWith("/add/") ? address.search : "") + selected.join();
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, draft) {
  try {
    if (draft) localStorage.setItem(key, JSON.stringify(draft));
    else localStorage.removeItem(key);
  } catch {
    // the browser keeps nothing: the page works as without drafts
  }
}

function drafts(prefix) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  } catch {
    return [];
  }
}

const isTicked = (field) => field.type === "checkbox" || field.type === "radio";

function differs(field) {
  if (isTicked(field)) return field.checked !== field.defaultChecked;
  if (field.localName !== "select") return field.value !== field.defaultValue;
  const preset = [...field.options].filter((option) => option.defaultSelected);
  const first = preset.length || field.multiple ? preset : [...field.options].slice(0, 1);
  return [...field.selectedOptions].map((option) => option.value).join() !== first.map((option) => option.value).join();
}

/** A field's value as a draft holds it. Options carry their text: a search box has only those that were chosen. */
function valueOf(field) {
  if (isTicked(field)) return { value: field.value, checked: field.checked };
  if (field.localName === "select") return { options: [...field.selectedOptions].map(({ value, text }) => [value, text]) };
  return { value: field.value };
}

/** What differs from the page, and what a draft holds already: a page may show that as its own by now. */
function keep(form) {
  const key = keyOf(form);
  const before = read(key);
  const held = new Set(before?.changed.map(([name]) => name));
  const changed = fields(form).filter((field) => differs(field) || held.has(field.name));
  if (!changed.length || hasLoggedOut) return;
  write(key, { id: before?.id ?? newId(), at: Date.now(), changed: changed.map((field) => [field.name, valueOf(field)]) });
}

/** Works without TLS, too, where `crypto.randomUUID` does not. */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function put(form, name, kept) {
  const named = fields(form).filter((field) => field.name === name);
  const field = "checked" in kept ? named.find((each) => each.value === kept.value) : named[0];
  if (!field || JSON.stringify(valueOf(field)) === JSON.stringify(kept)) return false;
  if ("checked" in kept) field.checked = kept.checked;
  else if (kept.options) {
    for (const [value, text] of kept.options) {
      if (![...field.options].some((option) => option.value === value)) field.add(new Option(text, value));
    }
    const chosen = kept.options.map(([value]) => value);
    for (const option of field.options) option.selected = chosen.includes(option.value);
  } else field.value = kept.value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

/** Rows that were added to a table of the form ("Add another …") are added again before they are filled. */
function addRows(form, changed) {
  for (const [name] of changed) {
    const [, prefix, number] = name.match(/^(.+)-(\d+)-[^-]+$/) ?? [];
    const link = prefix && document.querySelector(`#${CSS.escape(prefix)}-group .add-row a`);
    const total = prefix && form.elements[`${prefix}-TOTAL_FORMS`];
    for (let left = 20; link && total && Number(total.value) <= Number(number) && left; left -= 1) link.click();
  }
}

function restore(form) {
  const key = keyOf(form);
  const draft = read(key);
  if (!draft || form.querySelector(".errorlist, .errornote, .unsaved")) return; // the page shows what was typed
  addRows(form, draft.changed);
  if (!draft.changed.map(([name, kept]) => put(form, name, kept)).some(Boolean)) return;
  const time = new Date(draft.at).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" });
  const notice = noticeIn(form, `Restored what you had typed here (${time}). It is not saved yet. `);
  const discard = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "Discard it" });
  discard.addEventListener("click", () => {
    write(key, null);
    form.reset();
    for (const field of fields(form)) field.dispatchEvent(new Event("change", { bubbles: true }));
    notice.remove();
  });
  notice.append(discard);
  for (let fold = form.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
}

function noticeIn(form, text) {
  form.querySelector(".unsaved")?.remove();
  const notice = Object.assign(document.createElement("p"), { className: "unsaved", textContent: text });
  notice.setAttribute("role", "status");
  form.prepend(notice);
  return notice;
}

/** Forget what the server has saved, and what is old. */
function forget() {
  const cookie = document.cookie.split("; ").find((each) => each.startsWith(`${SAVED}=`));
  const saved = cookie ? cookie.slice(SAVED.length + 1).split(".") : [];
  for (const key of drafts(PREFIX)) {
    const draft = read(key);
    if (!draft || draft.at < Date.now() - LIFETIME_MS || saved.includes(draft.id)) write(key, null);
  }
  if (cookie) document.cookie = `${SAVED}=; path=/admin/; max-age=0; samesite=lax`;
}

function arrive() {
  forget();
  for (const form of forms()) restore(form);
}

function keepForm(event) {
  const form = event.target.form;
  if (form && forms().includes(form)) keep(form);
}

function send(event) {
  const form = event.target;
  if (form.id === "logout-form") {
    hasLoggedOut = true;
    for (const key of drafts(own)) write(key, null);
  }
  submitted = null;
  if (!forms().includes(form)) return;
  keep(form);
  // a button that sends the form elsewhere (a preview, a reminder) does not save what is in it
  submitted = event.submitter?.hasAttribute("formaction") ? null : form;
  if (navigator.onLine || form.matches("[data-in-place]")) return;
  event.preventDefault();
  noticeIn(form, "Not sent: you are offline. What you typed is kept in this browser.").scrollIntoView({ block: "nearest" });
}

if (user) {
  for (const type of ["input", "change"]) document.addEventListener(type, keepForm);
  addEventListener("pagehide", () => forms().forEach(keep));
  addEventListener("pageshow", (event) => event.persisted && forget());
  document.addEventListener("submit", send, true);
  document.addEventListener("formdata", (event) => {
    const draft = event.target === submitted && read(keyOf(event.target));
    if (draft) event.formData.set("_draft", draft.id);
  });
  document.addEventListener("athena:page", arrive); // in_place_forms.js has changed what is shown
  if (document.readyState === "complete") arrive();
  else addEventListener("load", arrive); // once the admin's own scripts have made the page
}
