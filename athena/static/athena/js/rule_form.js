// The form of a scoring rule offers only what fits together: fields of the chosen type, operators and values of the chosen
// field. The page carries the choices (`form-options`). The text box of the value is still what the form sends, and the
// server checks everything again.

const choices = JSON.parse(document.getElementById("form-options").textContent);
const fieldNamed = (name) => document.getElementById(`id_${name}`);
const [type, field, operator, value] = ["rule_type", "condition_field", "condition_operator", "condition_value"].map(fieldNamed);
const label = document.querySelector('label[for="id_condition_value"]');
const hint = document.getElementById("id_condition_value_helptext");
const timeFields = [fieldNamed("within_days"), fieldNamed("half_life_days")];
const allOptions = new Map([...document.querySelectorAll("#id_condition_field, #id_condition_field optgroup, #id_condition_operator")]
  .map((list) => [list, [...list.children]]));

/** What the page says about the chosen field; undefined if none is chosen. */
const chosenField = () =>
  choices.fields.find(({ name, type: ruleType }) => name === field.value && (!type.value || ruleType === type.value));

/** Leave only the options that fit. If the chosen one does not, choose the first operator that does, or no field. */
function keepFitting(select, fits) {
  const chosen = select.value;
  const fitting = (node) => node.value === "" || fits(node.value);
  select.replaceChildren(
    ...allOptions.get(select).flatMap((node) => {
      if (node.localName === "option") return fitting(node) ? [node] : [];
      const options = allOptions.get(node).filter(fitting);
      node.replaceChildren(...options);
      return options.length ? [node] : [];
    }),
  );
  const options = [...select.options].map((option) => option.value);
  select.value = options.includes(chosen) ? chosen : select === operator ? (options.find(Boolean) ?? "") : "";
}

/** Show a list (for one value) or checkboxes (for several) in place of the text box, if the field has fixed values. */
function showChoices(values, allowsSeveral) {
  const previous = document.getElementById("condition_choice");
  previous?.remove();
  if (previous && !values.length) value.value = "";
  value.classList.toggle("hidden", values.length > 0);
  label.htmlFor = values.length && !allowsSeveral ? "condition_choice" : value.id;
  if (!values.length) return;
  const chosen = value.value.toLowerCase().split(",").map((text) => text.trim());
  const choice = allowsSeveral ? makeCheckboxes(values, chosen) : makeSelect(values, chosen);
  choice.id = "condition_choice";
  const copyToTextBox = () => {
    value.value = [...choice.querySelectorAll(":checked")].map((option) => option.value).join(",");
  };
  choice.addEventListener("change", copyToTextBox);
  value.after(choice);
  copyToTextBox();
}

/** Except between yes and no, nothing is chosen at first. */
function makeSelect(values, chosen) {
  const select = document.createElement("select");
  if (values.length > 2 && !values.some(([name]) => chosen.includes(name))) select.add(new Option("---------", ""));
  for (const [name, text] of values) select.add(new Option(text, name, false, chosen.includes(name)));
  return select;
}

function makeCheckboxes(values, chosen) {
  const group = document.createElement("div");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", label.textContent);
  for (const [name, text] of values) {
    const checkbox = Object.assign(document.createElement("input"), { type: "checkbox", value: name });
    checkbox.checked = chosen.includes(name);
    const boxLabel = Object.assign(document.createElement("label"), { className: "choice" });
    boxLabel.append(checkbox, ` ${text}`);
    group.append(boxLabel);
  }
  return group;
}

/** Bring every list, the hint and the time fields in line with what is chosen. */
function update() {
  keepFitting(field, (name) => choices.fields.some((candidate) => candidate.name === name && (!type.value || candidate.type === type.value)));
  const info = chosenField();
  keepFitting(operator, (name) => !info || info.operators.includes(name));
  const isPresenceTest = operator.value === "is_set";
  const values = isPresenceTest ? [["true", "Yes"], ["false", "No"]] : (info?.values ?? []);
  showChoices(values, operator.value === "in");
  value.inputMode = info?.is_number && !choices.many[operator.value] ? "decimal" : "text";
  hint.textContent = values.length ? "" : [choices.many[operator.value], info?.hint].filter(Boolean).join(" ");
  const row = timeFields[0].closest(".form-row");
  row.classList.toggle("hidden", Boolean(info) && !info.is_timed && timeFields.every((input) => !input.value));
}

type.addEventListener("change", update);
operator.addEventListener("change", update);
field.addEventListener("change", () => {
  const info = chosenField();
  if (info) type.value = info.type;
  if (info && !info.is_timed) for (const input of timeFields) input.value = "";
  update();
});
update();
