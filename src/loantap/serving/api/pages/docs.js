"use strict";
// Shows /openapi.json. Texts go in as text, never as markup.
function make(tag, options = {}, ...children) {
  const { text, ...rest } = options;
  const node = Object.assign(document.createElement(tag), rest);
  if (text !== undefined) node.textContent = text;
  node.append(...children.filter(Boolean));
  return node;
}

// What stands between backticks is code.
function markCode(text) {
  return text.split("`").map((part, place) => (place % 2 ? make("code", { text: part }) : part));
}

fetch("/openapi.json").then((answer) => answer.json()).then(showAll).catch((error) => {
  document.getElementById("about").textContent = `The description cannot be read: ${error}`;
});

function showAll(api) {
  document.getElementById("about").append(...markCode(api.info.description));
  const groups = new Map((api.tags || []).map((tag) => [tag.name, []]));
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, route] of Object.entries(methods)) {
      const tag = (route.tags || ["Other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(showRoute(api, path, method, route));
    }
  }
  const nav = document.getElementById("groups");
  const main = document.getElementById("routes");
  for (const [tag, routes] of groups) {
    const id = tag.toLowerCase().replaceAll(" ", "-");
    nav.append(make("a", { href: `#${id}`, text: tag }));
    main.append(make("section", {}, make("h2", { id, text: tag }), ...routes));
  }
}

function showRoute(api, path, method, route) {
  const inside = make("div", { className: "inside" });
  if (route.description) inside.append(make("p", { className: "hint" }, ...markCode(route.description)));
  const parameters = route.parameters || [];
  if (parameters.length) {
    inside.append(make("h3", { text: "Parameters" }), tabulate(["name", "in", "meaning"],
      parameters.map((p) => [p.name, p.in, [p.description, tellType(api, p.schema)].filter(Boolean).join("; ")])));
  }
  const contents = route.requestBody ? route.requestBody.content : {};
  const json = contents["application/json"];
  for (const [type, content] of Object.entries(contents)) {
    inside.append(make("h3", { text: `Body: ${type}` }), showSchema(api, content.schema));
  }
  inside.append(make("h3", { text: "Answers" }));
  for (const [status, answer] of Object.entries(route.responses)) {
    const content = Object.entries(answer.content || {})[0];
    const name = content && content[1].schema.$ref ? content[1].schema.$ref.split("/").pop() : "";
    inside.append(make("p", { className: "meaning" }, make("code", { text: status }), " ", ...markCode(answer.description), " ",
      name && make("code", { text: name })));
    if (content && status < "300") inside.append(showSchema(api, content[1].schema));
  }
  inside.append(makeTrial(api, path, method, parameters, json));
  return make("details", {}, make("summary", {},
    make("span", { className: "method", text: method.toUpperCase() }),
    make("span", { className: "path", text: path }),
    make("span", { className: "hint", text: route.summary })), inside);
}

function resolve(api, schema) {
  if (!schema || !schema.$ref) return schema || {};
  return schema.$ref.split("/").slice(1).reduce((found, key) => found[key], api);
}

function tellType(api, schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map((option) => tellType(api, option)).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.join(", ");
  if (schema.type === "array") return `list of ${tellType(api, schema.items)}`;
  const range = [schema.minimum, schema.maximum].some((bound) => bound !== undefined)
    ? ` ${show(schema.minimum)} to ${show(schema.maximum)}` : "";
  return `${[].concat(schema.type || "any").join(" or ")}${range}`;
}

function show(bound) {
  return bound === undefined ? "…" : bound.toLocaleString("en");
}

function showSchema(api, given) {
  const schema = resolve(api, given);
  if (!schema.properties) return make("p", { className: "hint", text: tellType(api, schema) });
  const required = new Set(schema.required || []);
  return tabulate(["field", "type", "meaning"], Object.entries(schema.properties).map(([name, field]) => [
    required.has(name) ? name : `${name} (optional)`, tellType(api, field), field.description || "",
  ]));
}

function tabulate(heads, rows) {
  const body = rows.map((row) => make("tr", {}, ...row.map((cell, place) => make("td", {},
    place ? document.createTextNode(cell) : make("code", { text: cell })))));
  return make("div", { className: "table" }, make("table", {},
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col", text: head })))),
    make("tbody", {}, ...body)));
}

function makeTrial(api, path, method, parameters, json) {
  const inputs = parameters.filter((p) => p.in !== "header").map((p) => [p, make("input", { placeholder: p.name, ariaLabel: p.name })]);
  const example = json && (resolve(api, json.schema).example || json.example);
  const body = json && make("textarea", { value: JSON.stringify(example || {}, null, 2), ariaLabel: "Body", spellcheck: false });
  const shown = make("pre", { hidden: true });
  const button = make("button", { type: "button", text: "Send" });
  button.addEventListener("click", async () => {
    let url = path;
    const query = new URLSearchParams();
    for (const [p, input] of inputs) {
      if (p.in === "path") url = url.replace(`{${p.name}}`, encodeURIComponent(input.value));
      else if (input.value) query.set(p.name, input.value);
    }
    const headers = {};
    const key = document.getElementById("key").value.trim();
    if (key) headers.Authorization = `Bearer ${key}`;
    if (body) headers["Content-Type"] = "application/json";
    const asked = query.size ? `${url}?${query}` : url;
    const answer = await fetch(asked, { method: method.toUpperCase(), headers, body: body ? body.value : undefined });
    const text = await answer.text();
    let told = text;
    try { told = JSON.stringify(JSON.parse(text), null, 2); } catch { /* it is not JSON */ }
    shown.hidden = false;
    shown.textContent = `${answer.status} ${answer.statusText}\n${told}`;
  });
  return make("div", {}, make("h3", { text: "Try it" }), ...inputs.map(([, input]) => input), body, button, shown);
}
