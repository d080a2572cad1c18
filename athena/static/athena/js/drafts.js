// Keeps what is typed into a form in this browser until it is saved or discarded, or its user logs out. An expired login, a
// lost connection and a server error lose nothing. Without JavaScript, the error pages show what was typed.
//
// A draft holds the fields that differ from what the page showed, never passwords, files or hidden fields. It belongs to one
// user and expires after two days. The server names the drafts it has saved in a cookie.

const PREFIX = "athena-draft:";
const SAVED = "athena_saved";
const LIFETIME_MS = 48 * 3600 * 1000;
const user = document.querySelector('meta[name="athena-user"]')?.content;
const own = `${PREFIX}${user}:`;
const NOT_KEPT = new Set(["hidden", "password", "file", "submit", "button", "reset", "image"]);
let submitted = null; // the form that is being sent to its own address, which may save it
let hasLoggedOut = false;

/** The forms of this page that have drafts. */
function forms() {
  return [...document.querySelectorAll("#content form")].filter(
    (form) => form.method === "post" && form.id !== "changelist-form" && !form.querySelector("input[type=password]") && fields(form).length,
  );
}

function fields(form) {
  return [...form.elements].filter((field) => field.name && !NOT_KEPT.has(field.type) && !field.name.startsWith("_"));
}

/** A draft's key: the form's address, with the query string on pages that add a row, and the rows of a bulk action. */
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
    // this browser stores nothing: the page works without drafts
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

/** A field's value as stored in a draft. Options include their text, since a search box holds only the chosen ones. */
function valueOf(field) {
  if (isTicked(field)) return { value: field.value, checked: field.checked };
  if (field.localName === "select") return { options: [...field.selectedOptions].map(({ value, text }) => [value, text]) };
  return { value: field.value };
}

/** Store the fields that differ from the page, and those in the draft already, which the page may show by now. */
function saveDraft(form) {
  const key = keyOf(form);
  const previous = read(key);
  const held = new Set(previous?.changed.map(([name]) => name));
  const changed = fields(form).filter((field) => differs(field) || held.has(field.name));
  if (!changed.length || hasLoggedOut) return;
  write(key, { id: previous?.id ?? newId(), at: Date.now(), changed: changed.map((field) => [field.name, valueOf(field)]) });
}

/** Unlike `crypto.randomUUID`, works without TLS. */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fillField(form, name, kept) {
  const named = fields(form).filter((field) => field.name === name);
  const field = "checked" in kept ? named.find((option) => option.value === kept.value) : named[0];
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

/** Add the inline rows that the user had added ("Add another …"), so that they can be filled. */
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
  if (!draft || form.querySelector(".errorlist, .errornote, .unsaved")) return; // the page already shows what was typed
  addRows(form, draft.changed);
  if (!draft.changed.map(([name, kept]) => fillField(form, name, kept)).some(Boolean)) return;
  const time = new Date(draft.at).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" });
  const notice = noticeIn(form, `Restored what you typed here (${time}). It is not saved yet. `);
  const discard = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "Discard" });
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

/** Remove the drafts that the server has saved, and old ones. */
function removeSavedDrafts() {
  const cookie = document.cookie.split("; ").find((cookie) => cookie.startsWith(`${SAVED}=`));
  const saved = cookie ? cookie.slice(SAVED.length + 1).split(".") : [];
  for (const key of drafts(PREFIX)) {
    const draft = read(key);
    if (!draft || draft.at < Date.now() - LIFETIME_MS || saved.includes(draft.id)) write(key, null);
  }
  if (cookie) document.cookie = `${SAVED}=; path=/admin/; max-age=0; samesite=lax`;
}

function restoreForms() {
  removeSavedDrafts();
  for (const form of forms()) restore(form);
}

function handleInput(event) {
  const form = event.target.form;
  if (form && forms().includes(form)) saveDraft(form);
}

function handleSubmit(event) {
  const form = event.target;
  if (form.id === "logout-form") {
    hasLoggedOut = true;
    for (const key of drafts(own)) write(key, null);
  }
  submitted = null;
  if (!forms().includes(form)) return;
  saveDraft(form);
  // a button that sends the form elsewhere (a preview, a reminder) does not save its fields
  submitted = event.submitter?.hasAttribute("formaction") ? null : form;
  if (navigator.onLine || form.matches("[data-in-place]")) return;
  event.preventDefault();
  noticeIn(form, "Not sent: you are offline. What you typed is kept in this browser.").scrollIntoView({ block: "nearest" });
}

if (user) {
  for (const type of ["input", "change"]) document.addEventListener(type, handleInput);
  addEventListener("pagehide", () => forms().forEach(saveDraft));
  addEventListener("pageshow", (event) => event.persisted && removeSavedDrafts());
  document.addEventListener("submit", handleSubmit, true);
  document.addEventListener("formdata", (event) => {
    const draft = event.target === submitted && read(keyOf(event.target));
    if (draft) event.formData.set("_draft", draft.id);
  });
  document.addEventListener("athena:page", restoreForms); // in_place_forms.js has replaced the page
  if (document.readyState === "complete") restoreForms();
  else addEventListener("load", restoreForms); // after the admin's own scripts have built the page
}
