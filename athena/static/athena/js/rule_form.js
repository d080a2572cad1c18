// The form of a scoring rule offers what fits together: the type its fields, the field its operators and its values.
// What fits is in the page (`offered`). The text box of the value stays what is sent. The server checks it all again.

const known = JSON.parse(document.getElementById("offered").textContent);
const at = (name) => document.getElementById(`id_${name}`);
const [type, field, operator, value] = ["rule_type", "condition_field", "condition_operator", "condition_value"].map(at);
const label = document.querySelector('label[for="id_condition_value"]');
const hint = document.getElementById("id_condition_value_helptext");
const timed = [at("within_days"), at("half_life_days")];
const all = new Map([...document.querySelectorAll("#id_condition_field, #id_condition_field optgroup, #id_condition_operator")]
  .map((list) => [list, [...list.children]]));

const asked = () => known.fields.find((each) => each.name === field.value && (!type.value || each.type === type.value));

/** Leaves in the list what fits; what was chosen and does not gives way to the first that does, or to nothing. */
function offer(select, fits) {
  const chosen = select.value;
  const fitting = (node) => node.value === "" || fits(node.value);
  select.replaceChildren(
    ...all.get(select).flatMap((node) => {
      if (node.localName === "option") return fitting(node) ? [node] : [];
      const options = all.get(node).filter(fitting);
      node.replaceChildren(...options);
      return options.length ? [node] : [];
    }),
  );
  const options = [...select.options].map((option) => option.value);
  select.value = options.includes(chosen) ? chosen : select === operator ? (options.find(Boolean) ?? "") : "";
}

/** In the place of the text box, where its value is one of a few (a list) or several of them (boxes to tick). */
function choose(values, isMany) {
  const before = document.getElementById("condition_choice");
  before?.remove();
  if (before && !values.length) value.value = "";
  value.classList.toggle("hidden", values.length > 0);
  label.htmlFor = values.length && !isMany ? "condition_choice" : value.id;
  if (!values.length) return;
  const chosen = value.value.toLowerCase().split(",").map((each) => each.trim());
  const choice = isMany ? boxes(values, chosen) : list(values, chosen);
  choice.id = "condition_choice";
  const take = () => {
    value.value = [...choice.querySelectorAll(":checked")].map((each) => each.value).join(",");
  };
  choice.addEventListener("change", take);
  value.after(choice);
  take();
}

/** Of more than yes and no, nothing is chosen beforehand. */
function list(values, chosen) {
  const made = document.createElement("select");
  if (values.length > 2 && !values.some(([name]) => chosen.includes(name))) made.add(new Option("---------", ""));
  for (const [name, text] of values) made.add(new Option(text, name, false, chosen.includes(name)));
  return made;
}

function boxes(values, chosen) {
  const made = document.createElement("div");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", label.textContent);
  for (const [name, text] of values) {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value: name });
    box.checked = chosen.includes(name);
    const line = Object.assign(document.createElement("label"), { className: "choice" });
    line.append(box, ` ${text}`);
    made.append(line);
  }
  return made;
}

function narrow() {
  offer(field, (name) => known.fields.some((each) => each.name === name && (!type.value || each.type === type.value)));
  const found = asked();
  offer(operator, (name) => !found || found.operators.includes(name));
  const isKnown = operator.value === "is_set";
  const values = isKnown ? [["true", "Yes"], ["false", "No"]] : (found?.values ?? []);
  choose(values, operator.value === "in");
  value.inputMode = found?.is_number && !known.many[operator.value] ? "decimal" : "text";
  hint.textContent = values.length ? "" : [known.many[operator.value], found?.hint].filter(Boolean).join(" ");
  const row = timed[0].closest(".form-row");
  row.classList.toggle("hidden", Boolean(found) && !found.is_timed && timed.every((each) => !each.value));
}

type.addEventListener("change", narrow);
operator.addEventListener("change", narrow);
field.addEventListener("change", () => {
  const found = asked();
  if (found) type.value = found.type;
  if (found && !found.is_timed) for (const each of timed) each.value = "";
  narrow();
});
narrow();
