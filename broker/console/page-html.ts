/** The console's page. Everything on it is drawn by its script, which gets data only with the token. */
export const PAGE_HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fleetrig cloud</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
<script type="module" src="page/app.js"></script>
</head>
<body>
<header><h1>fleetrig cloud</h1><nav id="tabs" aria-label="Pages"></nav></header>
<p id="notice" role="status"></p>
<main></main>
<noscript>The console needs JavaScript.</noscript>
</body>
</html>
`;
