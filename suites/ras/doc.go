// Package ras gathers the checks of a Resource Authorization Server (RAS): that it grants an honest ID-JAG and refuses
// every other, and that its metadata and answers are what the specifications ask for. A folder is a room of themes, a
// file a theme; within it each requirement of the catalogue has one check.For. Whoever imports this package has them
// all.
package ras

import (
	_ "github.com/emaconform/emaconform/suites/ras/accounts"    // whose account an access token is for
	_ "github.com/emaconform/emaconform/suites/ras/clients"     // who may redeem, and how clients prove who they are
	_ "github.com/emaconform/emaconform/suites/ras/conduct"     // metadata, the token endpoint, errors, logs
	_ "github.com/emaconform/emaconform/suites/ras/identifiers" // the attacks that package grammar generates
	_ "github.com/emaconform/emaconform/suites/ras/idjag"       // the claims of an ID-JAG
	_ "github.com/emaconform/emaconform/suites/ras/keys"        // signatures, encryption, the keys of the IdP
	_ "github.com/emaconform/emaconform/suites/ras/tokens"      // what is granted, and what becomes of it
)
