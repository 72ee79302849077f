// Package ras holds the checks of a Resource Authorization Server (RAS): that it grants an honest ID-JAG and refuses
// every other, and that its metadata and answers are what the specifications ask for. A file is a theme; within it each
// requirement of the catalogue has one check.For.
package ras
